//! The test host: virtual time, mocks, seeds and crashes.

mod crashes;
mod mocks;
mod orders;
mod support;
mod time;
