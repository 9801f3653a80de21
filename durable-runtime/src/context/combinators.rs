//! Waiting for many tasks.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::poll::Group;
use crate::model::TaskFailed;

/// The outcome of a task: its value, or how it failed. A timer has no failure.
pub trait TaskOutput {
    /// What it gives when it succeeds.
    type Value;
    /// What it gives when it fails.
    type Failure;

    /// The outcome as a `Result`.
    ///
    /// # Errors
    ///
    /// The failure of the task.
    fn into_result(self) -> Result<Self::Value, Self::Failure>;
}

impl<T, E> TaskOutput for Result<T, E> {
    type Value = T;
    type Failure = E;

    fn into_result(self) -> Self {
        self
    }
}

impl TaskOutput for () {
    type Value = ();
    type Failure = TaskFailed;

    fn into_result(self) -> Result<(), TaskFailed> {
        Ok(())
    }
}

/// Waits until all tasks have ended. Gives their values in the order of `tasks`, or the failure of
/// the first one, in that order, that failed.
///
/// ```
/// # use durable_runtime::prelude::*;
/// # #[activity]
/// # async fn say_hello(city: String) -> Result<String> { Ok(format!("Hello {city}!")) }
/// #[orchestrator]
/// async fn hello_all(ctx: OrchestrationContext, cities: Vec<String>) -> Result<Vec<String>> {
///     let tasks = cities.iter().map(|city| ctx.call_activity::<say_hello>(city.as_str()));
///     Ok(when_all(tasks).await?)
/// }
/// ```
pub fn when_all<I>(tasks: I) -> WhenAll<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
    <I::Item as IntoFuture>::Output: TaskOutput,
{
    WhenAll {
        all: All::new(tasks),
    }
}

/// Waits until all tasks have ended. Gives their outcomes in the order of `tasks`.
pub fn when_all_settled<I>(tasks: I) -> WhenAllSettled<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
    <I::Item as IntoFuture>::Output: TaskOutput,
{
    WhenAllSettled {
        all: All::new(tasks),
    }
}

/// Waits until the first task ends. Gives its position in `tasks`, its outcome, and the other tasks
/// in their order, for further use. Of tasks that had ended before the call the first in order is
/// taken.
///
/// # Panics
///
/// If `tasks` is empty: the orchestration fails with that message.
pub fn when_any<I>(tasks: I) -> WhenAny<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
    <I::Item as IntoFuture>::IntoFuture: Unpin,
{
    let tasks: Vec<_> = tasks.into_iter().map(IntoFuture::into_future).collect();
    assert!(
        !tasks.is_empty(),
        "when_any was given no tasks, so it could never end"
    );
    WhenAny {
        group: Group::new(tasks.len()),
        tasks,
    }
}

/// The future of [`when_all`].
#[derive(Debug)]
#[must_use = "tasks do nothing unless they are awaited [unawaited]"]
pub struct WhenAll<F: Future> {
    all: All<F>,
}

impl<F: Future> Future for WhenAll<F>
where
    F::Output: TaskOutput,
{
    type Output = Result<Vec<<F::Output as TaskOutput>::Value>, <F::Output as TaskOutput>::Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.all
            .poll(cx)
            .map(|outputs| outputs.into_iter().map(TaskOutput::into_result).collect())
    }
}

/// The future of [`when_all_settled`].
#[derive(Debug)]
#[must_use = "tasks do nothing unless they are awaited [unawaited]"]
pub struct WhenAllSettled<F: Future> {
    all: All<F>,
}

impl<F: Future> Future for WhenAllSettled<F>
where
    F::Output: TaskOutput,
{
    type Output = Vec<Result<<F::Output as TaskOutput>::Value, <F::Output as TaskOutput>::Failure>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.all
            .poll(cx)
            .map(|outputs| outputs.into_iter().map(TaskOutput::into_result).collect())
    }
}

struct All<F: Future> {
    children: Vec<Child<F>>,
    running: usize,
    group: Group,
}

enum Child<F: Future> {
    Running(Pin<Box<F>>),
    Ended(F::Output),
}

impl<F: Future> fmt::Debug for All<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} tasks running",
            self.running,
            self.children.len()
        )
    }
}

// Nothing is pinned in place: a running child has a box of its own.
impl<F: Future> Unpin for All<F> {}

impl<F: Future> All<F> {
    fn new<I>(tasks: I) -> Self
    where
        I: IntoIterator,
        I::Item: IntoFuture<IntoFuture = F, Output = F::Output>,
    {
        let children: Vec<_> = tasks
            .into_iter()
            .map(|task| Child::Running(Box::pin(task.into_future())))
            .collect();
        Self {
            running: children.len(),
            group: Group::new(children.len()),
            children,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Vec<F::Output>> {
        self.group.begin();
        while let Some(index) = self.group.next() {
            let Child::Running(future) = &mut self.children[index] else {
                continue;
            };
            if let Poll::Ready(output) = self.group.poll(index, || future.as_mut().poll(cx)) {
                self.children[index] = Child::Ended(output);
                self.running -= 1;
            }
        }
        if self.running > 0 {
            self.group.pend();
            return Poll::Pending;
        }
        let ended = self.children.drain(..).filter_map(|child| match child {
            Child::Ended(output) => Some(output),
            Child::Running(_) => None,
        });
        Poll::Ready(ended.collect())
    }
}

/// The future of [`when_any`].
#[derive(Debug)]
#[must_use = "tasks do nothing unless they are awaited [unawaited]"]
pub struct WhenAny<F> {
    tasks: Vec<F>,
    group: Group,
}

impl<F: Future + Unpin> Future for WhenAny<F> {
    type Output = (usize, F::Output, Vec<F>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.group.begin();
        while let Some(index) = this.group.next() {
            let task = Pin::new(&mut this.tasks[index]);
            if let Poll::Ready(output) = this.group.poll(index, || task.poll(cx)) {
                let mut rest = std::mem::take(&mut this.tasks);
                drop(rest.remove(index));
                return Poll::Ready((index, output, rest));
            }
        }
        this.group.pend();
        Poll::Pending
    }
}
