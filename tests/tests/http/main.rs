//! The management API over real sockets: rules 42 and 43, and what keeps strangers out.

mod history;
mod starting;
mod status;
mod support;
