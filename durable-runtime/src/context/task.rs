//! What an orchestrator may await.

use std::future::Future;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{
    ActivityCall, EntityCall, EventWait, EventWaitTimeout, LockEntities, SubOrchestratorCall,
    TaskOutput, Timer, WhenAll, WhenAllSettled, WhenAny,
};

/// A task that is the same in every replay: what `.await` in an orchestrator takes.
///
/// These are durable tasks:
///
/// * the calls, timers and waits of an [`OrchestrationContext`](crate::OrchestrationContext);
/// * [`when_all`](crate::when_all), [`when_all_settled`](crate::when_all_settled) and
///   [`when_any`](crate::when_any) over durable tasks;
/// * an `async` block in an orchestrator, whose own `.await`s are checked;
/// * what an async function with [`#[deterministic]`](macro@crate::deterministic) returns;
/// * a mutable reference, a box or a pin of one.
///
/// No other type can be one. Tasks of different types that are to be in one collection, or in one
/// variable, are boxed:
///
/// ```
/// use std::time::Duration;
///
/// use durable_runtime::{BoxedTask, prelude::*};
///
/// #[activity]
/// async fn work(part: u32) -> Result<u32> {
///     Ok(part * 2)
/// }
///
/// #[orchestrator]
/// async fn first(ctx: OrchestrationContext) -> Result<u32> {
///     let tasks: Vec<BoxedTask<'_, Result<u32>>> = vec![
///         Box::pin(async { Ok(ctx.call_activity::<work>(1u32).await?) }),
///         Box::pin(async {
///             ctx.sleep(Duration::from_secs(60)).await;
///             Ok(0)
///         }),
///     ];
///     let (_, output, _) = when_any(tasks).await;
///     output
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [await]",
    label = "this cannot be replayed",
    note = "an orchestrator awaits the tasks of its context: `ctx.call_activity::<name>(input)` for \
            work, also where the activity is called as a function now; `ctx.sleep(duration)`; \
            `ctx.wait_for_external_event(name)`",
    note = "an `async fn` that awaits nothing else may have `#[deterministic]` on it; in place of \
            `async |x| ..` write `|x| async move {{ .. }}`"
)]
pub trait DurableTask: Future + sealed::Sealed {}

/// A durable task in a box, for tasks of different types.
pub type BoxedTask<'a, T> = Pin<Box<dyn DurableTask<Output = T> + 'a>>;

mod sealed {
    /// Keeps others from adding to the durable tasks.
    pub trait Sealed {}
}

macro_rules! durable_tasks {
    ($([$($generics:tt)*] $task:ty $(where [$($bounds:tt)*])?;)*) => {$(
        impl<$($generics)*> sealed::Sealed for $task $(where $($bounds)*)? {}
        impl<$($generics)*> DurableTask for $task $(where $($bounds)*)? {}
    )*};
}

durable_tasks! {
    [T: serde::de::DeserializeOwned] ActivityCall<T>;
    [T: serde::de::DeserializeOwned] SubOrchestratorCall<T>;
    [T: serde::de::DeserializeOwned] EntityCall<T>;
    [] LockEntities;
    [] Timer;
    [T: serde::de::DeserializeOwned] EventWait<T>;
    [T: serde::de::DeserializeOwned] EventWaitTimeout<T>;
    [T: DurableTask] WhenAll<T> where [T::Output: TaskOutput];
    [T: DurableTask] WhenAllSettled<T> where [T::Output: TaskOutput];
    [T: DurableTask + Unpin] WhenAny<T>;
    [T: DurableTask + Unpin + ?Sized] &mut T;
    [T: DurableTask + Unpin + ?Sized] Box<T>;
    [P: DerefMut<Target: DurableTask>] Pin<P>;
    [F: Future] Deterministic<F>;
}

#[cfg(feature = "http")]
durable_tasks! {
    [] super::HttpCall;
}

pin_project! {
    /// The future of code that was checked where it is written.
    #[derive(Debug)]
    #[must_use = "an `async` block does nothing unless it is awaited [unawaited]"]
    pub struct Deterministic<F> {
        #[pin]
        future: F,
    }
}

impl<F> Deterministic<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for Deterministic<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(context)
    }
}
