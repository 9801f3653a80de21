//! What is to hold of every input, however malformed: each function here takes bytes as they may come from
//! outside, and panics if something does not hold. Nothing else may panic, whatever the bytes are.
//!
//! They are called with the bytes of a fuzzer (the package in `fuzz/`), and in every run of the tests with
//! random ones and with damaged ones that were valid (`tests/tests/inputs`).

mod cron;
mod functions;
mod history;
mod host_json;
mod http;
mod payload;
pub mod seeds;
mod steps;
mod stored;
mod token;

pub use cron::cron;
pub use history::{history, history_steps};
pub use host_json::host_json;
pub use http::{http_bytes, http_request};
pub use payload::event_payload;
pub use stored::stored_row;
pub use token::continuation_token;

/// Text as it is read where only text can come; what is not UTF-8 becomes the sign for that.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
