//! The HTTP calls of orchestrations: rule 44, what a host lets them reach, and where tokens come from.

mod answers;
mod fence;
#[path = "../hosts/mod.rs"]
mod hosts;
mod managed_identity;
mod polling;
mod redirects;
mod restarts;
mod retries;
mod server;
mod support;
mod tasks;
mod timeouts;
mod tokens;
mod virtual_time;
