//! The test host: virtual time, mocks, seeds and crashes.

mod crashes;
mod entities;
mod mocks;
mod orders;
mod requests;
mod support;
mod time;
mod triggers;
