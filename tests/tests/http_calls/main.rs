//! The HTTP calls of orchestrations: rule 44, what a host lets them reach, and where tokens come from.

mod answers;
mod polling;
mod server;
mod support;
