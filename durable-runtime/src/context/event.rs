//! Waiting for external events.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::core::{Core, Outcome};
use super::time::{Timer, after};
use crate::model::{Failure, TaskFailed, TaskId};

/// The wait for an external event: a durable task of its payload. Dropping it leaves the queue.
///
/// Events of one name are given to those who wait in the order in which they began to wait, which
/// is when they are first polled or [`start`](Self::start)ed; one that nobody waits for is kept.
#[must_use = "the event is waited for only when the task is awaited or started [unawaited]"]
pub struct EventWait<T> {
    wait: Wait,
    payload: PhantomData<fn() -> T>,
}

struct Wait {
    core: Rc<Core>,
    id: TaskId,
    name: String,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    New,
    Waiting,
    Done,
}

impl<T> EventWait<T> {
    pub(crate) fn new(core: &Rc<Core>, name: &str) -> Self {
        let wait = Wait {
            core: Rc::clone(core),
            id: core.next_task_id(),
            name: name.to_owned(),
            stage: Stage::New,
        };
        Self {
            wait,
            payload: PhantomData,
        }
    }

    /// Begins to wait now and gives the task, to be awaited later.
    pub fn start(mut self) -> Self {
        self.wait.begin();
        self
    }

    /// Gives up after `duration`: the task then gives `Ok(None)`.
    pub fn timeout(self, duration: Duration) -> EventWaitTimeout<T> {
        let core = &self.wait.core;
        EventWaitTimeout {
            timer: Timer::new(core, after(core.now(), duration)),
            wait: Some(self),
        }
    }
}

impl Wait {
    fn begin(&mut self) {
        if self.stage == Stage::New {
            self.core.await_event(self.id, &self.name);
            self.stage = Stage::Waiting;
        }
    }

    fn poll<T: DeserializeOwned>(&mut self) -> Poll<Result<T, TaskFailed>> {
        if self.stage == Stage::Done {
            let message = "a durable task was polled after it had ended";
            let failure = Failure::new(Failure::PANIC, message);
            return Poll::Ready(Err(TaskFailed::new(self.name.clone(), failure)));
        }
        self.begin();
        let Some(Outcome::Event(event)) = self.core.poll_outcome(self.id) else {
            return Poll::Pending;
        };
        self.stage = Stage::Done;
        let (name, instance) = (&self.name, self.core.identity.instance.as_str());
        let read = event.data.read(&format_args!(
            "the payload of event {name:?} of instance {instance:?}"
        ));
        Poll::Ready(read.map_err(|misfit| TaskFailed::new(name, misfit.into())))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.stage == Stage::Waiting {
            self.core.abandon(self.id);
        }
    }
}

impl<T: DeserializeOwned> Future for EventWait<T> {
    type Output = Result<T, TaskFailed>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.wait.poll()
    }
}

impl<T> fmt::Debug for EventWait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait")
            .field("name", &self.wait.name)
            .field("stage", &self.wait.stage)
            .finish_non_exhaustive()
    }
}

/// The wait for an external event, up to a time: made by [`EventWait::timeout`].
#[derive(Debug)]
#[must_use = "the event is waited for only when the task is awaited or started [unawaited]"]
pub struct EventWaitTimeout<T> {
    wait: Option<EventWait<T>>,
    timer: Timer,
}

impl<T> EventWaitTimeout<T> {
    /// Begins to wait now and gives the task, to be awaited later.
    pub fn start(self) -> Self {
        Self {
            wait: self.wait.map(EventWait::start),
            timer: self.timer.start(),
        }
    }
}

impl<T: DeserializeOwned> Future for EventWaitTimeout<T> {
    type Output = Result<Option<T>, TaskFailed>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(wait) = &mut this.wait
            && let Poll::Ready(result) = wait.wait.poll()
        {
            this.wait = None;
            this.timer.cancel();
            return Poll::Ready(result.map(Some));
        }
        this.timer.poll_fired().map(|()| {
            this.wait = None;
            Ok(None)
        })
    }
}
