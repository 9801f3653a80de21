//! What the code that the attribute macros generate names. Not part of the public face.

#[path = "private/awaits.rs"]
pub mod awaits;
#[path = "private/clock.rs"]
mod clock;

pub use clock::Clock;

pub use futures_core::future::{BoxFuture, LocalBoxFuture};
pub use inventory;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

pub use crate::context::{
    ActivityContext, ActivityInvocation, CallTarget, Deterministic, DurableTask,
    OrchestrationContext, State,
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

pub use crate::context::{EntityCall, EntityContext, OperationInvocation, SignalTarget};
pub use crate::model::{EntityId, Payload};
pub use crate::registry::document::{
    begin_document, on_document, on_document_later, save_document,
};
pub use crate::registry::entity::{
    Entity, EntityFunction, EntityInterface, EntityOperations, EntityState, First, Operation,
    OperationRun, begin_entity, begin_with_default, entity_state, operation, save_entity,
};
pub use chrono::{DateTime, Utc};

pub use durable_macros::{join, select};

pub use crate::registry::client_function::{ClientFunction, Trigger};

/// What is named for client functions.
pub mod client_function {
    #[cfg(feature = "http")]
    pub use crate::http::{HttpTrigger, part, respond, rest, split};
    pub use crate::registry::client_function::{
        Call, Outcome, QueueTrigger, TimerTrigger, judged, message, outcome,
    };
}

pub use crate::__http_trigger as http_trigger;

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

/// The future of an `async` operation, which runs on any thread.
pub fn boxed_operation<'a, F: Future + Send + 'a>(future: F) -> BoxFuture<'a, F::Output> {
    Box::pin(future)
}

/// As [`boxed_operation`], for an operation that always succeeds.
pub fn boxed_value<'a, F: Future + Send + 'a>(
    future: F,
) -> BoxFuture<'a, Result<F::Output, Error>> {
    Box::pin(async { Ok(future.await) })
}

/// The input of an operation, on its way to the entity. This is where the compiler says that it cannot
/// travel: what is made of it always can, so that this is said once.
pub fn operation_input<I: Serialize + DeserializeOwned>(input: &I) -> EncodedInput {
    EncodedInput(Payload::encode(input))
}

/// An input as JSON, or why there is none.
#[derive(Debug)]
pub struct EncodedInput(serde_json::Result<Payload>);

impl Serialize for EncodedInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(input) => input.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// A call of an operation. This is where the compiler says that its output cannot travel.
pub fn call_operation<O: Serialize + DeserializeOwned>(
    target: &CallTarget,
    operation: &str,
    input: &impl Serialize,
) -> EntityCall<O> {
    target.call(operation, input)
}

/// Nothing happens here: this is where the compiler says that a trait is no interface.
pub const fn is_interface<I: EntityInterface + ?Sized>() {}

/// Nothing happens here: this is where the compiler says that an output cannot travel.
pub fn is_sent<O: Serialize + DeserializeOwned>() {}

/// Runs a test.
#[cfg(feature = "testing")]
pub fn test<F: Future>(test: impl FnOnce(crate::testing::TestHost) -> F) -> F::Output {
    crate::testing::run_with(crate::testing::TestHost::builder(), test)
}

/// Runs a test with many seeds. It fails where a `#[test]` that returns the same does.
#[cfg(feature = "testing")]
pub fn test_seeds<F>(count: u64, test: impl Fn(crate::testing::TestHost) -> F)
where
    F: Future<Output: std::process::Termination>,
{
    use std::process::{ExitCode, Termination};

    crate::testing::run_many_seeds(count, |host| {
        let running = test(host);
        async {
            // This prints the error.
            let code = running.await.report();
            assert!(code == ExitCode::SUCCESS, "the test returned an error");
        }
    });
}
