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

use super::nondeterminism::{Difference, NonDeterminism, Place, Refusal, call_number};
use crate::context::core::{ContinueAsNewRequest, Core, EpisodeActions, Identity, Outcome};
use crate::context::{OrchestrationContext, is_continued_as_new, poll};
use crate::model::{EventKind, Failure, Payload};
use crate::registry::OrchestratorFunction;

/// The running code of one execution.
pub(crate) struct LiveExecution {
    core: Rc<Core>,
    future: Option<LocalBoxFuture<'static, Result<Payload, Failure>>>,
    /// The number of the last episode, which messages call the step; the first has the number 1.
    step: u64,
    /// Why the last episode was refused, if it was: hardly any is, and there are many executions.
    refused: Option<Box<NonDeterminism>>,
}

/// What one episode did.
#[derive(Debug)]
pub(crate) struct Episode {
    pub(crate) actions: EpisodeActions,
    /// Set when the code has ended.
    pub(crate) completion: Option<Completion>,
}

impl Episode {
    /// One that did nothing but break a rule.
    pub(crate) fn non_deterministic(failure: Failure) -> Self {
        Self {
            actions: EpisodeActions::default(),
            completion: Some(Completion::NonDeterministic(failure)),
        }
    }
}

/// How an execution ended.
#[derive(Debug)]
pub(crate) enum Completion {
    Completed(Payload),
    Failed(Failure),
    /// The code broke a rule of deterministic code. What it did in the episode counts for nothing,
    /// so that mended code can take the step anew.
    NonDeterministic(Failure),
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
        // It reads the input, with code of the user's.
        let begin = AssertUnwindSafe(|| function.code.begin(context, input));
        let future = catch_unwind(begin).unwrap_or_else(|panic| {
            let failure = Failure::from_panic(&*panic);
            Box::pin(std::future::ready(Err(failure)))
        });
        Self {
            core,
            future: Some(future),
            step: 0,
            refused: None,
        }
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
        self.step += 1;
        self.core.begin_episode(now, replaying);
        let mut last_arrival = None;
        for arrival in arrivals {
            last_arrival = Some((arrival.name(), call_number(arrival)));
            self.deliver(arrival);
        }
        let polled = if replaying {
            // What the code logs was logged when it ran for the first time.
            let nowhere = tracing::Dispatch::none();
            tracing::dispatcher::with_default(&nowhere, || self.poll())
        } else {
            self.poll()
        };
        let actions = self.core.take_actions();
        let completion = match polled {
            Polled::Pending => None,
            Polled::Ended(result) => Some(self.complete(result)),
            Polled::Refused(refusal) => {
                let place = self.place();
                // Guards of critical sections were dropped with the code.
                let is_release =
                    |action: &EventKind| matches!(action, EventKind::LockReleased { .. });
                let did = actions
                    .actions
                    .iter()
                    .rposition(|action| !is_release(action));
                let did = did.and_then(|last| actions.actions.get(..=last));
                let refused = refusal.at(&place, last_arrival, did.unwrap_or_default());
                let failure = refused.failure();
                self.refused = Some(Box::new(refused));
                return Episode::non_deterministic(failure);
            }
        };
        Episode {
            actions,
            completion,
        }
    }

    /// The next step is a replayed one that did `actions` when it ran.
    pub(super) fn expect<'a>(&self, actions: impl Iterator<Item = &'a EventKind>) {
        self.core.expect(actions);
    }

    /// Whether the code may repeat `action` or not, as it likes.
    pub(super) fn is_optional(&self, action: &EventKind) -> bool {
        self.core.is_optional(action)
    }

    /// `difference`, in the last episode.
    pub(super) fn difference(&self, difference: Difference) -> NonDeterminism {
        difference.at(&self.place())
    }

    /// Why the last episode was refused, if it was.
    pub(super) fn take_refused(&mut self) -> Option<Box<NonDeterminism>> {
        self.refused.take()
    }

    fn place(&self) -> Place<'_> {
        Place {
            orchestrator: &self.core.identity.name,
            step: self.step,
        }
    }

    fn deliver(&self, arrival: &EventKind) {
        let (id, outcome) = match arrival {
            EventKind::TaskCompleted { id, result }
            | EventKind::EntityCompleted { id, result }
            | EventKind::SubOrchestrationCompleted { id, result } => {
                (*id, Outcome::Returned(Ok(result.clone())))
            }
            EventKind::TaskFailed { id, failure }
            | EventKind::EntityFailed { id, failure }
            | EventKind::LockFailed { id, failure }
            | EventKind::SubOrchestrationFailed { id, failure } => {
                (*id, Outcome::Returned(Err(failure.clone())))
            }
            EventKind::LockGranted { id } => (*id, Outcome::Locked),
            EventKind::TimerFired { id } => (*id, Outcome::TimerFired),
            EventKind::EventRaised { name, data } => {
                self.core.raise_event(name, data.clone());
                return;
            }
            _ => return,
        };
        self.core.complete(id, outcome);
    }

    /// Polls until nothing more can be done without news.
    fn poll(&mut self) -> Polled {
        let Some(mut future) = self.future.take() else {
            return Polled::Pending;
        };
        let no_wake = Arc::new(NoWake::default());
        let waker = Waker::from(Arc::clone(&no_wake));
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            poll::enter(&self.core, || {
                loop {
                    poll::unset_blocked();
                    let polled = future.as_mut().poll(&mut cx);
                    if polled.is_ready() || !self.core.take_poll_again() {
                        return polled;
                    }
                }
            })
        }));
        let direct_call = self.core.take_direct_call().map(Refusal::DirectCall);
        let polled = match (direct_call, polled) {
            (Some(refusal), _) => Polled::Refused(refusal),
            (None, Ok((Poll::Ready(result), _))) => Polled::Ended(result),
            (None, Err(panic)) => Polled::of_panic(panic),
            (None, Ok((Poll::Pending, is_blocked))) => {
                if no_wake.used.load(Ordering::Acquire) {
                    Polled::Refused(Refusal::UsedWaker)
                } else if Arc::strong_count(&no_wake) > 2 {
                    // `no_wake` and `waker` hold one each: another one was kept to wake us.
                    Polled::Refused(Refusal::KeptWaker)
                } else if is_blocked {
                    self.future = Some(future);
                    return Polled::Pending;
                } else {
                    Polled::Refused(Refusal::NothingDurable)
                }
            }
        };
        drop_quietly(future);
        polled
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

/// How a poll of the code ended.
enum Polled {
    /// It waits for durable tasks.
    Pending,
    Ended(Result<Payload, Failure>),
    Refused(Refusal),
}

impl Polled {
    /// What asks for an async runtime panics without one, and says that there should be one.
    fn of_panic(panic: Box<dyn Any + Send>) -> Self {
        let failure = match panic.downcast::<Failure>() {
            Ok(failure) => return Self::Ended(Err(*failure)),
            Err(panic) => Failure::from_panic(&*panic),
        };
        let asks = ["Tokio 1.x runtime", "`task::LocalSet`"];
        if asks.iter().any(|text| failure.message().contains(text)) {
            Self::Refused(Refusal::NoRuntime(failure))
        } else {
            Self::Ended(Err(failure))
        }
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
