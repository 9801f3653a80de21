//! The management API over real sockets: rules 42 and 43, and what keeps strangers out.

mod entities;
mod history;
mod limits;
mod listing;
mod malformed;
mod mounting;
mod openapi;
mod overload;
mod purging;
mod raw;
mod security;
mod serving;
mod starting;
mod status;
mod steering;
mod support;
mod urls;
