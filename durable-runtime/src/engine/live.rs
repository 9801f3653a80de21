//! An orchestrator's future, kept between episodes.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use chrono::{DateTime, Utc};
use futures_core::future::LocalBoxFuture;

use crate::context::core::{ContinueAsNewRequest, Core, EpisodeActions, Identity, Outcome};
use crate::context::{OrchestrationContext, is_continued_as_new, poll};
use crate::model::{EventKind, Failure, Payload};
use crate::registry::OrchestratorFunction;

/// The running code of one execution.
pub(crate) struct LiveExecution {
    core: Rc<Core>,
    future: Option<LocalBoxFuture<'static, Result<Payload, Failure>>>,
}

/// What one episode did.
#[derive(Debug)]
pub(crate) struct Episode {
    pub(crate) actions: EpisodeActions,
    /// Set when the code has ended.
    pub(crate) completion: Option<Completion>,
}

/// How an execution ended.
#[derive(Debug)]
pub(crate) enum Completion {
    Completed(Payload),
    Failed(Failure),
    ContinuedAsNew {
        request: ContinueAsNewRequest,
        /// Events that go over to the next execution, in order.
        events: Vec<(String, Payload)>,
    },
}

impl LiveExecution {
    /// Begins an execution; its code runs in the first episode.
    pub(crate) fn begin(
        function: OrchestratorFunction,
        identity: Identity,
        input: Payload,
        now: DateTime<Utc>,
    ) -> Self {
        let core = Core::new(identity, now);
        let context = OrchestrationContext::new(Rc::clone(&core));
        let future = (function.run)(context, input);
        Self {
            core,
            future: Some(future),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.core.identity.name
    }

    /// The orchestration's clock, as of the last episode.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.core.now()
    }

    /// Runs the code once, after giving it what has arrived.
    pub(crate) fn run<'a>(
        &mut self,
        now: DateTime<Utc>,
        replaying: bool,
        arrivals: impl IntoIterator<Item = &'a EventKind>,
    ) -> Episode {
        self.core.begin_episode(now, replaying);
        for arrival in arrivals {
            self.deliver(arrival);
        }
        let result = if replaying {
            // What the code logs was logged when it ran for the first time.
            let nowhere = tracing::Dispatch::none();
            tracing::dispatcher::with_default(&nowhere, || self.poll())
        } else {
            self.poll()
        };
        let actions = self.core.take_actions();
        let completion = result.map(|result| self.complete(result));
        Episode {
            actions,
            completion,
        }
    }

    fn deliver(&self, arrival: &EventKind) {
        let (id, outcome) = match arrival {
            EventKind::TaskCompleted { id, result }
            | EventKind::SubOrchestrationCompleted { id, result } => {
                (*id, Outcome::Returned(Ok(result.clone())))
            }
            EventKind::TaskFailed { id, failure }
            | EventKind::SubOrchestrationFailed { id, failure } => {
                (*id, Outcome::Returned(Err(failure.clone())))
            }
            EventKind::TimerFired { id } => (*id, Outcome::TimerFired),
            EventKind::EventRaised { name, data } => {
                self.core.raise_event(name, data.clone());
                return;
            }
            _ => return,
        };
        self.core.complete(id, outcome);
    }

    /// Polls until nothing more can be done without news; `Some` when the code has ended.
    fn poll(&mut self) -> Option<Result<Payload, Failure>> {
        let mut future = self.future.take()?;
        let no_wake = Arc::new(NoWake::default());
        let waker = Waker::from(Arc::clone(&no_wake));
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            poll::enter(&self.core, || {
                loop {
                    let polled = future.as_mut().poll(&mut cx);
                    if polled.is_ready() || !self.core.take_poll_again() {
                        return polled;
                    }
                }
            })
        }));
        // `no_wake` and `waker` hold one reference each: another one was kept to wake us.
        if let Ok((Poll::Pending, true)) = &polled
            && Arc::strong_count(&no_wake) == 2
            && !no_wake.used.load(Ordering::Acquire)
        {
            self.future = Some(future);
            return None;
        }
        drop_quietly(future);
        match polled {
            Ok((Poll::Ready(result), _)) => Some(result),
            Ok((Poll::Pending, _)) => Some(Err(self.waits_on_nothing_durable())),
            Err(panic) => Some(Err(self.explain(panic_failure(panic)))),
        }
    }

    /// What asks for an async runtime panics without one, and says that there should be one.
    fn explain(&self, failure: Failure) -> Failure {
        let wants_runtime = failure.message().contains("Tokio 1.x runtime");
        if failure.error_type() == Failure::PANIC && wants_runtime {
            self.waits_on_nothing_durable().caused_by(failure)
        } else {
            failure
        }
    }

    fn waits_on_nothing_durable(&self) -> Failure {
        Failure::new(
            Failure::NON_DETERMINISTIC,
            format!(
                "orchestrator {:?} awaits or spawns something that is not a durable task: it would never \
                 be woken, and could not be replayed; use `ctx.sleep` for a pause, and call an activity \
                 for work",
                self.name()
            ),
        )
    }

    fn complete(&self, result: Result<Payload, Failure>) -> Completion {
        let request = self.core.take_continue_as_new();
        match (result, request) {
            (Ok(_), Some(request)) => self.continue_as_new(request),
            (Err(failure), Some(request)) if is_continued_as_new(&failure) => {
                self.continue_as_new(request)
            }
            (Ok(output), None) => match output.check_size(self.core.identity.max_payload_bytes) {
                Ok(()) => Completion::Completed(output),
                Err(error) => Completion::Failed(Failure::new(
                    Failure::PAYLOAD_TOO_LARGE,
                    format!("the output cannot be stored: {error}"),
                )),
            },
            (Err(failure), _) => Completion::Failed(failure),
        }
    }

    fn continue_as_new(&self, request: ContinueAsNewRequest) -> Completion {
        let events = if request.discard_events {
            Vec::new()
        } else {
            self.core.unprocessed_events()
        };
        Completion::ContinuedAsNew { request, events }
    }
}

impl Drop for LiveExecution {
    fn drop(&mut self) {
        self.core.close();
        if let Some(future) = self.future.take() {
            drop_quietly(future);
        }
    }
}

impl fmt::Debug for LiveExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveExecution")
            .field("instance", &self.core.identity.instance)
            .field("name", &self.core.identity.name)
            .finish_non_exhaustive()
    }
}

/// A waker that wakes nobody. Whoever keeps a clone of it waits for something that is not ours;
/// whoever has used it did so too.
#[derive(Default)]
struct NoWake {
    used: AtomicBool,
}

impl Wake for NoWake {
    fn wake(self: Arc<Self>) {
        self.used.store(true, Ordering::Release);
    }
}

/// A value of the user's may panic when it is dropped: that is not to take more down.
fn drop_quietly<T>(value: T) {
    drop(catch_unwind(AssertUnwindSafe(|| drop(value))));
}

fn panic_failure(panic: Box<dyn Any + Send>) -> Failure {
    match panic.downcast::<Failure>() {
        Ok(failure) => *failure,
        Err(panic) => Failure::from_panic(&*panic),
    }
}
