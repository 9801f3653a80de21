//! Durable Functions for Rust: long-running, stateful workflows as ordinary async code.
//!
//! An *orchestrator* calls *activities*, waits for timers and events, and starts other orchestrators.
//! What it does is recorded; after any crash the code carries on where it was.
//!
//! ```no_run
//! use durable_runtime::prelude::*;
//!
//! #[activity]
//! async fn say_hello(city: String) -> Result<String> {
//!     Ok(format!("Hello {city}!"))
//! }
//!
//! #[orchestrator]
//! async fn hello_cities(ctx: OrchestrationContext) -> Result<Vec<String>> {
//!     let mut greetings = Vec::new();
//!     for city in ["Tokyo", "Seattle", "London"] {
//!         greetings.push(ctx.call_activity::<say_hello>(city).await?);
//!     }
//!     Ok(greetings)
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     let host = DurableHost::builder().start().await?;
//!     let run = host.client().start_new::<hello_cities>(()).await?;
//!     println!("{:?}", run.output().await?);
//!     host.shutdown().await?;
//!     Ok(())
//! }
//! ```
//!
//! Start with [`DurableHost`](host::DurableHost) and
//! [`OrchestrationContext`]; the [`client`] module is for those who start and steer orchestrations,
//! [`storage`] for where they are kept.

// The attribute macros name this crate by its public name, also in its own tests.
extern crate self as durable_runtime;

pub mod client;
mod clock;
mod context;
mod engine;
pub mod host;
#[cfg(feature = "http")]
pub mod http;
pub mod model;
mod partition;
mod registry;
pub mod storage;
pub mod testing;

/// Several hosts with one hub in one thread, for the tests of this project. Not part of the public face.
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use host::simulation;

#[cfg(feature = "http")]
pub use context::HttpCall;
pub use context::{
    ActivityCall, ActivityContext, BoxedTask, ContinueAsNew, DurableTask, EntityCall,
    EntityContext, EntitySignals, EventWait, EventWaitTimeout, LockEntities, LockGuard,
    OrchestrationContext, OrchestrationSignals, SignalTarget, State, SubOrchestratorCall,
    TaskOutput, Timer, WhenAll, WhenAllSettled, WhenAny, when_all, when_all_settled, when_any,
};
#[cfg(feature = "testing")]
pub use durable_macros::test;
pub use durable_macros::{
    activity, allow_nondeterminism, deterministic, durable_client, entity, join, orchestrator,
    select,
};
pub use model::{
    EntityId, Error, Failure, InvalidEntityId, Result, RetryAttempt, RetryPolicy, TaskFailed,
    TimerInfo,
};
pub use registry::{Activity, Entity, EntityInterface, NameClash, Orchestrator, Register};

/// The one import of a program that uses durable functions.
pub mod prelude {
    pub use crate::client::DurableClient;
    pub use crate::context::{
        ActivityContext, ContinueAsNew as _, EntityContext, OrchestrationContext, State, when_all,
        when_all_settled, when_any,
    };
    pub use crate::host::DurableHost;
    pub use crate::model::{EntityId, Error, Result, RetryPolicy, TimerInfo};
    pub use crate::{
        activity, allow_nondeterminism, deterministic, durable_client, entity, join, orchestrator,
        select,
    };
}

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

/// For fuzzing only: what reads text from outside and cannot be reached on its own otherwise.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod inputs;

/// The value of a client function's HTTP trigger.
#[cfg(feature = "http")]
#[doc(hidden)]
#[macro_export]
macro_rules! __http_trigger {
    (method: $method:expr, path: $path:expr, run: $run:expr) => {
        $crate::__private::Trigger::Http($crate::__private::client_function::HttpTrigger {
            method: $method,
            path: $path,
            run: $run,
        })
    };
}

/// Says what is missing.
#[cfg(not(feature = "http"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __http_trigger {
    ($($trigger:tt)*) => {
        ::core::compile_error!(
            "an HTTP trigger needs the feature `http` of `durable-runtime`: enable it in Cargo.toml"
        )
    };
}

/// The examples of the page on versions.
#[cfg(doctest)]
#[doc = include_str!("../../docs/versioning.md")]
mod versioning_page {}

/// The examples of the page on the evolution of types.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../docs/evolution.md")]
mod evolution_page {}

/// The examples of the page on determinism.
#[cfg(doctest)]
#[doc = include_str!("../../docs/determinism.md")]
mod determinism_page {}

/// The examples of the page on replays.
#[cfg(doctest)]
#[doc = include_str!("../../docs/replay.md")]
mod replay_page {}

/// The examples of the page on testing.
#[cfg(all(doctest, feature = "testing", feature = "http"))]
#[doc = include_str!("../../docs/testing.md")]
mod testing_page {}
