//! The code of a durable function, with its types erased here and not where it is written: what is
//! generated for a function is compiled anew for each, what stands here once for each pair of types.

use std::fmt;
use std::marker::PhantomData;

use futures_core::future::{BoxFuture, LocalBoxFuture};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::{ActivityInvocation, OrchestrationContext, decode_input, encode_output};
use crate::model::{Failure, IntoFailure, Payload};

/// What a durable function must return.
#[diagnostic::on_unimplemented(
    message = "a durable function must return a `Result`, not `{Self}`",
    label = "not a `Result`",
    note = "return `Result<T>`, or `Result<T, E>` with any error `E`"
)]
pub trait DurableResult {
    /// What it returns when it succeeds.
    type Ok;
}

impl<T, E: IntoFailure> DurableResult for Result<T, E> {
    type Ok = T;
}

/// How the input of a function is read: `Input::<I>::OF`. Of the two constants of this name that each of
/// these three types has, the compiler takes the inherent one where its conditions hold. Where they do
/// not, that is an error already in the implementation of `Activity` or `Orchestrator`, and is to be
/// reported only there; but for [`Details`], which not every error has.
#[derive(Debug)]
pub struct Input<I>(PhantomData<fn(I)>);

/// How what a function returned travels: `Output::<R>::OF`.
#[derive(Debug)]
pub struct Output<R>(PhantomData<fn(R)>);

/// How the error in what a function returned is serialized, where it can be: `Details::<R>::OF`.
#[derive(Debug)]
pub struct Details<R>(PhantomData<fn(R)>);

/// The type of [`Input::OF`].
pub(crate) type ReadInput<I> = fn(&dyn fmt::Display, &Payload) -> Result<I, Failure>;
/// The type of [`Output::OF`].
pub(crate) type WriteOutput<R> =
    fn(&'static str, &str, R, SerializeError<R>) -> Result<Payload, Failure>;
/// The type of [`Details::OF`].
pub(crate) type SerializeError<R> = fn(&R) -> Option<Payload>;

impl<I: DeserializeOwned> Input<I> {
    /// Reads it.
    pub const OF: ReadInput<I> = decode_input;
}

impl<T: Serialize, E: IntoFailure> Output<Result<T, E>> {
    /// Makes a payload or a failure of it.
    pub const OF: WriteOutput<Result<T, E>> = |kind, name, returned, details| {
        let details = details(&returned);
        match returned {
            Ok(output) => encode_output(kind, name, &output),
            Err(error) => Err(error.into_failure(details)),
        }
    };
}

impl<T, E: Serialize> Details<Result<T, E>> {
    /// Makes JSON of the error.
    pub const OF: SerializeError<Result<T, E>> =
        |returned| Payload::encode(returned.as_ref().err()?).ok();
}

/// The constants that are taken where no other is.
pub trait Otherwise {
    /// Their type.
    type Of;
    /// Does nothing.
    const OF: Self::Of;
}

impl<I> Otherwise for Input<I> {
    type Of = ReadInput<I>;
    const OF: ReadInput<I> = |_, _| unreachable!("the program does not compile");
}

impl<R> Otherwise for Output<R> {
    type Of = WriteOutput<R>;
    const OF: WriteOutput<R> = |_, _, _, _| unreachable!("the program does not compile");
}

impl<R> Otherwise for Details<R> {
    type Of = SerializeError<R>;
    const OF: SerializeError<R> = |_| None;
}

/// An orchestrator that takes an `I` and returns an `R`: the function itself is one. So nothing is
/// generated that calls it.
pub trait CallWithInput<I, R>: Sync {
    /// Calls it.
    fn call(&self, context: OrchestrationContext, input: I) -> LocalBoxFuture<'static, R>;
}

impl<F, I, O> CallWithInput<I, O::Output> for F
where
    F: Fn(OrchestrationContext, I) -> O + Sync,
    O: Future + 'static,
{
    fn call(&self, context: OrchestrationContext, input: I) -> LocalBoxFuture<'static, O::Output> {
        Box::pin(self(context, input))
    }
}

/// As [`CallWithInput`], without one.
pub trait CallWithoutInput<R>: Sync {
    /// Calls it.
    fn call(&self, context: OrchestrationContext) -> LocalBoxFuture<'static, R>;
}

impl<F, O> CallWithoutInput<O::Output> for F
where
    F: Fn(OrchestrationContext) -> O + Sync,
    O: Future + 'static,
{
    fn call(&self, context: OrchestrationContext) -> LocalBoxFuture<'static, O::Output> {
        Box::pin(self(context))
    }
}

/// The code of an orchestrator.
pub trait OrchestratorCode: Sync {
    /// Reads the input, and gives the future of the execution, which need not be `Send`.
    fn begin(
        &'static self,
        context: OrchestrationContext,
        input: Payload,
    ) -> LocalBoxFuture<'static, Result<Payload, Failure>>;
}

impl fmt::Debug for dyn OrchestratorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrchestratorCode")
    }
}

/// An orchestrator with an input.
#[expect(
    missing_debug_implementations,
    reason = "a function has nothing to show"
)]
pub struct WithInput<I: 'static, R: 'static> {
    /// The function.
    pub function: &'static dyn CallWithInput<I, R>,
    /// [`Input::OF`]
    pub input: ReadInput<I>,
    /// [`Output::OF`]
    pub output: WriteOutput<R>,
    /// [`Details::OF`]
    pub details: SerializeError<R>,
}

impl<I, R> OrchestratorCode for WithInput<I, R> {
    fn begin(
        &'static self,
        context: OrchestrationContext,
        input: Payload,
    ) -> LocalBoxFuture<'static, Result<Payload, Failure>> {
        let (name, instance) = (context.name(), context.instance_id());
        let read = (self.input)(
            &format_args!("orchestrator {name:?} of instance {instance:?}"),
            &input,
        );
        match read {
            Ok(input) => Box::pin(async move {
                let returned = self.function.call(context.clone(), input).await;
                (self.output)("orchestrator", context.name(), returned, self.details)
            }),
            Err(failure) => Box::pin(std::future::ready(Err(failure))),
        }
    }
}

/// An orchestrator that takes nothing; what it is given all the same is of no interest.
#[expect(
    missing_debug_implementations,
    reason = "a function has nothing to show"
)]
pub struct WithoutInput<R: 'static> {
    /// The function.
    pub function: &'static dyn CallWithoutInput<R>,
    /// [`Output::OF`]
    pub output: WriteOutput<R>,
    /// [`Details::OF`]
    pub details: SerializeError<R>,
}

impl<R> OrchestratorCode for WithoutInput<R> {
    fn begin(
        &'static self,
        context: OrchestrationContext,
        _: Payload,
    ) -> LocalBoxFuture<'static, Result<Payload, Failure>> {
        Box::pin(async move {
            let returned = self.function.call(context.clone()).await;
            (self.output)("orchestrator", context.name(), returned, self.details)
        })
    }
}

/// The code of an `async` activity.
pub trait AsyncActivityCode: Sync {
    /// Runs it. Reading the input is part of the future, so that a panic in it is one of the activity.
    fn run(&'static self, call: ActivityInvocation)
    -> BoxFuture<'static, Result<Payload, Failure>>;
}

impl fmt::Debug for dyn AsyncActivityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncActivityCode")
    }
}

/// An `async` activity that returns an `R`.
#[derive(Debug)]
pub struct AsyncActivity<R> {
    /// Reads the arguments, and calls the function.
    pub begin: fn(&ActivityInvocation) -> Result<BoxFuture<'static, R>, Failure>,
    /// [`Output::OF`]
    pub output: WriteOutput<R>,
    /// [`Details::OF`]
    pub details: SerializeError<R>,
}

impl<R: 'static> AsyncActivityCode for AsyncActivity<R> {
    fn run(
        &'static self,
        call: ActivityInvocation,
    ) -> BoxFuture<'static, Result<Payload, Failure>> {
        Box::pin(async move {
            let future = (self.begin)(&call)?;
            (self.output)("activity", call.name(), future.await, self.details)
        })
    }
}

/// The code of an activity that blocks.
pub trait BlockingActivityCode: Sync {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// The failure of the activity.
    fn run(&self, call: &ActivityInvocation) -> Result<Payload, Failure>;
}

impl fmt::Debug for dyn BlockingActivityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockingActivityCode")
    }
}

/// An activity that blocks and returns an `R`.
#[derive(Debug)]
pub struct BlockingActivity<R> {
    /// Reads the arguments, and calls the function.
    pub run: fn(&ActivityInvocation) -> Result<R, Failure>,
    /// [`Output::OF`]
    pub output: WriteOutput<R>,
    /// [`Details::OF`]
    pub details: SerializeError<R>,
}

impl<R: 'static> BlockingActivityCode for BlockingActivity<R> {
    fn run(&self, call: &ActivityInvocation) -> Result<Payload, Failure> {
        (self.output)("activity", call.name(), (self.run)(call)?, self.details)
    }
}
