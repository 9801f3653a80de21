//! Durable Functions for Rust.

extern crate self as durable_runtime;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod context;
pub mod model;
pub mod registry;
pub mod storage;
