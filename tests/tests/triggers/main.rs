//! Client functions and what runs them: rules 40 and 41, and HTTP triggers.

mod bindings;
#[path = "../process/mod.rs"]
mod process;
mod queues;
mod requests;
mod support;
mod timers;
