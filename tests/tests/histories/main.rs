//! Recorded histories, replayed on the code of this program.

mod changed;
mod examples;
mod hubs;
mod malformed;
mod support;
