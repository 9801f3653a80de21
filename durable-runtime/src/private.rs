//! What the code that the attribute macros generate names. Not part of the public face.

#[path = "private/awaits.rs"]
pub mod awaits;
#[path = "private/clock.rs"]
mod clock;

pub use clock::Clock;

use std::marker::PhantomData;

pub use futures_core::future::{BoxFuture, LocalBoxFuture};
pub use inventory;
use serde::Serialize;

pub use crate::context::{
    ActivityContext, ActivityInvocation, Deterministic, DurableTask, OrchestrationContext, State,
    decode_input, encode_output,
};
pub use crate::model::{Failure, IntoFailure, Payload};
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

/// What a durable function must return.
#[diagnostic::on_unimplemented(
    message = "a durable function must return a `Result`, not `{Self}`",
    label = "not a `Result`",
    note = "return `Result<T>`, or `Result<T, E>` with any error `E`"
)]
pub trait DurableResult {
    /// What it returns when it succeeds.
    type Ok;
    /// Its error.
    type Err: IntoFailure;

    /// The result as such.
    ///
    /// # Errors
    ///
    /// The error that it holds.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E: IntoFailure> DurableResult for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Result<T, E> {
        self
    }
}

/// Finds out how errors of a type are serialized. The generated code calls
/// `(&returned.error()).details()`, and method resolution takes the first of the two traits below that
/// applies to the concrete type.
#[derive(Debug)]
pub struct ErrorType<E>(PhantomData<fn(E)>);

/// How an error is serialized.
pub type Details<E> = fn(&E) -> Option<Payload>;

/// Applies to errors that can be serialized.
pub trait SerializedDetails<E> {
    /// Makes JSON of an error.
    fn details(&self) -> Details<E>;
}

impl<E: Serialize> SerializedDetails<E> for ErrorType<E> {
    fn details(&self) -> Details<E> {
        |error| Payload::encode(error).ok()
    }
}

/// Applies to all others.
pub trait NoDetails<E> {
    /// Makes nothing of an error.
    fn details(&self) -> Details<E>;
}

impl<E> NoDetails<E> for &ErrorType<E> {
    fn details(&self) -> Details<E> {
        |_| None
    }
}

/// An `async` activity as the executor runs it. Reading the input is part of the future, so that a
/// panic in it is one of the activity.
pub fn run_async<F>(
    invocation: ActivityInvocation,
    call: fn(ActivityInvocation) -> Result<F, Failure>,
    finish: fn(F::Output) -> Result<Payload, Failure>,
) -> BoxFuture<'static, Result<Payload, Failure>>
where
    F: Future + Send + 'static,
{
    Box::pin(async move { finish(call(invocation)?.await) })
}

/// Stands at the beginning of a blocking activity: an orchestrator that calls it as a function fails.
/// (The future of an `async` one cannot be awaited there.) Anywhere else it does nothing.
#[inline]
pub fn not_in_an_orchestrator(activity: &'static str) {
    crate::context::poll::refuse_direct_call(activity);
}

/// An orchestrator as the engine runs it. This knows of its future only what it returns: what is generic
/// over the future is compiled anew for each orchestrator.
pub fn run_orchestrator<R: 'static>(
    future: LocalBoxFuture<'static, R>,
    finish: fn(R) -> Result<Payload, Failure>,
) -> LocalBoxFuture<'static, Result<Payload, Failure>> {
    Box::pin(async move { finish(future.await) })
}

/// An orchestrator whose input cannot be read.
pub fn refuse(failure: Failure) -> LocalBoxFuture<'static, Result<Payload, Failure>> {
    Box::pin(std::future::ready(Err(failure)))
}

/// The input of the activity `A`.
///
/// # Errors
///
/// As [`ActivityInvocation::input`].
pub fn activity_input<A: Activity>(invocation: &ActivityInvocation) -> Result<A::Input, Failure> {
    invocation.input()
}

/// The input of the orchestrator `O`.
///
/// # Errors
///
/// As [`decode_input`].
pub fn orchestrator_input<O: Orchestrator>(input: &Payload) -> Result<O::Input, Failure> {
    decode_input("orchestrator", O::NAME, input)
}

/// What a durable function returned.
#[derive(Debug)]
pub struct Returned<R>(pub R);

impl<T, E> Returned<Result<T, E>> {
    /// The type of the error.
    pub fn error(&self) -> ErrorType<E> {
        ErrorType(PhantomData)
    }
}

impl<T: Serialize, E: IntoFailure> Returned<Result<T, E>> {
    /// The result as it travels.
    ///
    /// # Errors
    ///
    /// The failure that the error makes, or the one of [`encode_output`].
    pub fn finish(self, kind: &str, name: &str, details: Details<E>) -> Result<Payload, Failure> {
        match self.0 {
            Ok(output) => encode_output(kind, name, &output),
            Err(error) => {
                let details = details(&error);
                Err(error.into_failure(details))
            }
        }
    }
}

/// Stands in for [`Returned::finish`] where the return type does not do. That is an error already
/// in the implementation of [`Activity`] or [`Orchestrator`], and is to be reported only there.
pub trait Unfinished: Sized {
    /// Is never run.
    fn error(&self) -> ErrorType<()> {
        unreachable!("the program does not compile")
    }

    /// Is never run.
    ///
    /// # Errors
    ///
    /// None.
    fn finish<E>(self, _kind: &str, _name: &str, _details: Details<E>) -> Result<Payload, Failure> {
        unreachable!("the program does not compile")
    }
}

impl<R> Unfinished for Returned<R> {}
