//! Durable Functions for Rust.

extern crate self as durable_runtime;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod context;
pub mod model;
pub mod registry;
pub mod storage;

pub use durable_macros::{activity, join, orchestrator, select};

/// What user code imports.
pub mod prelude {
    pub use durable_macros::{activity, join, orchestrator, select};

    pub use crate::context::{ActivityContext, OrchestrationContext, State};
    pub use crate::model::{Error, Result};
}
