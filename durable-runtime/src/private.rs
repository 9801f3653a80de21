//! What the code that the attribute macros generate names. Not part of the public face.

#[path = "private/awaits.rs"]
pub mod awaits;
#[path = "private/clock.rs"]
mod clock;

pub use clock::Clock;

pub use futures_core::future::{BoxFuture, LocalBoxFuture};
pub use inventory;

pub use crate::context::{
    ActivityContext, ActivityInvocation, Deterministic, DurableTask, OrchestrationContext, State,
};
pub use crate::model::{Error, Failure};
pub use crate::registry::code::{
    AsyncActivity, BlockingActivity, Details, DurableResult, Input, Otherwise, Output, WithInput,
    WithoutInput,
};
pub use crate::registry::{
    Activity, ActivityFunction, ActivityRun, Function, Orchestrator, OrchestratorFunction,
    Register, Registration, SourceLocation, StateKey,
};

pub use durable_macros::{join, select};

/// What is awaited in an orchestrator. Nothing happens to it: this is where the compiler says that it
/// is not a durable task.
pub fn task<T: DurableTask>(task: T) -> T {
    task
}

/// An async block, or the future of an async closure, whose body was checked where it is written.
pub fn deterministic<F: Future>(future: F) -> Deterministic<F> {
    Deterministic::new(future)
}

/// The future of an `async` activity, which runs on any thread.
pub fn boxed<F: Future + Send + 'static>(future: F) -> BoxFuture<'static, F::Output> {
    Box::pin(future)
}

/// Stands at the beginning of a blocking activity: an orchestrator that calls it as a function fails.
/// (The future of an `async` one cannot be awaited there.) Anywhere else it does nothing.
#[inline]
pub fn not_in_an_orchestrator(activity: &'static str) {
    crate::context::poll::refuse_direct_call(activity);
}

/// The input of the activity `A`.
///
/// # Errors
///
/// As [`ActivityInvocation::input`].
pub fn activity_input<A: Activity>(invocation: &ActivityInvocation) -> Result<A::Input, Failure> {
    invocation.input()
}
