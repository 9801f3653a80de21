//! The test host: virtual time, mocks, seeds and crashes.

mod crashes;
mod entities;
mod mocks;
mod orders;
mod support;
mod time;
