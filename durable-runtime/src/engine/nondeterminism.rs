//! What is said of an orchestrator that is not deterministic: which one, at which step, what its
//! history has, what its code did, why that may be, and last the name of the rule, in brackets.

use super::live::Completion;
use crate::model::{EventKind, Failure, TaskId};

/// What code may not do, as the engine has noticed it while the code ran.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The code waits, and nothing durable can wake it.
    NothingDurable,
    /// Something outside of the engine has kept the waker.
    KeptWaker,
    /// Something outside of the engine has used the waker.
    UsedWaker,
    /// The code asked for a tokio runtime; the panic that says so.
    NoRuntime(Failure),
    /// The code called this activity as a function.
    DirectCall(&'static str),
}

/// Where an execution is, for a message.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) orchestrator: &'a str,
    /// The number of the episode, counted from 1 in each execution.
    pub(super) step: u64,
}

/// The code did something else than the history has, or than it did a moment ago.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) history: String,
    /// A clause whose subject is the code: "made ..", "returned".
    pub(super) code: String,
    pub(super) found_by: FoundBy,
    /// What the code could not read, if it ended with that.
    pub(super) misfit: Option<Failure>,
}

/// A rule of deterministic code that was broken, and where.
#[derive(Debug, Clone)]
pub(crate) struct NonDeterminism {
    pub(crate) orchestrator: String,
    /// The number of the step, counted from 1 in each execution.
    pub(crate) step: u64,
    pub(crate) history: String,
    /// A clause whose subject is the code.
    pub(crate) code: String,
    /// Why that may be, and what to do.
    pub(crate) causes: String,
    pub(crate) rule: &'static str,
    /// What the code panicked with, or could not read.
    pub(crate) cause: Option<Failure>,
}

impl NonDeterminism {
    /// The rule that a replay does what the history says.
    pub(crate) const REPLAY: &'static str = "replay";

    /// What the instance fails with.
    pub(crate) fn failure(&self) -> Failure {
        let Self {
            orchestrator,
            step,
            history,
            code,
            causes,
            rule,
            cause,
        } = self;
        let failure = Failure::new(
            Failure::NON_DETERMINISTIC,
            format!(
                "orchestrator {orchestrator:?} is not deterministic at step {step}: the history has \
                 {history}, the code {code}. {causes} [{rule}]"
            ),
        );
        match cause {
            Some(cause) => failure.caused_by(cause.clone()),
            None => failure,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundBy {
    /// A replay that was needed.
    Replay,
    /// The replay of `HostOptions::replay_check`.
    Check,
}

impl Refusal {
    /// `last_arrival` is what the step began with, and `actions` what the code had done in it.
    pub(super) fn at(
        self,
        place: &Place<'_>,
        last_arrival: Option<(&'static str, Option<TaskId>)>,
        actions: &[EventKind],
    ) -> NonDeterminism {
        let history = so_far(place.step, last_arrival);
        let (rule, code, causes) = self.explain();
        let code = match actions {
            [] => code,
            [one] => format!("made {} and then {code}", describe(one)),
            [.., last] => format!(
                "made {} calls, the last of them {}, and then {code}",
                actions.len(),
                describe(last)
            ),
        };
        let cause = match self {
            Self::NoRuntime(panic) => Some(panic),
            _ => None,
        };
        NonDeterminism {
            orchestrator: place.orchestrator.to_owned(),
            step: place.step,
            history,
            code,
            causes,
            rule,
            cause,
        }
    }

    /// The rule, what the code did, and why that may be.
    fn explain(&self) -> (&'static str, String, String) {
        const INSTEAD: &str = "Use `ctx.sleep` for a pause, `ctx.wait_for_external_event` for news, \
                               and call an activity for work";
        let (code, causes) = match self {
            Self::NothingDurable => (
                "awaits what is not a durable task, while no durable task is pending: it would \
                 never go on",
                "a future of another library, `std::future::pending`, or a channel without senders",
            ),
            Self::KeptWaker => (
                "awaits what is not a durable task and counts on being woken from outside, which \
                 history cannot repeat",
                "a channel, a lock, a timer or a thread that it waits for, or a combinator of \
                 another library that has wakers of its own, in place of `when_all` or `when_any`",
            ),
            Self::UsedWaker => (
                "awaits what is not a durable task and was woken from outside while it ran, which \
                 history cannot repeat",
                "`yield_now`, or a combinator of another library that has wakers of its own, in \
                 place of `when_all` or `when_any`",
            ),
            Self::NoRuntime(_) => (
                "awaits or spawns what is not a durable task: it asked for a tokio runtime, and \
                 orchestrators run outside of any",
                "`tokio::spawn`, a timer of tokio's, or a library that does I/O through tokio",
            ),
            Self::DirectCall(activity) => {
                return (
                    "direct_call",
                    format!("called the activity `{activity}` as a function"),
                    format!(
                        "Called so, an activity runs again in every replay, and its result is not \
                         recorded. Write `ctx.call_activity::<{activity}>(..)`, or move what both \
                         need into a function that is no activity"
                    ),
                );
            }
        };
        let causes = format!("Likely causes: {causes}. {INSTEAD}");
        ("await", code.to_owned(), causes)
    }
}

const VARIES: &str = "a clock, a random number, the environment, a static, the order of a hash map";

impl Difference {
    pub(super) fn at(self, place: &Place<'_>) -> NonDeterminism {
        let causes = match self.found_by {
            _ if self.misfit.is_some() => {
                "What is recorded does not fit a type of the code, which was changed since. Have the \
                 type read that as well, with a default for a field that is new and an alias for one \
                 that has another name; an instance that has failed so can be rewound then"
                    .to_owned()
            }
            FoundBy::Replay => {
                format!(
                    "Either the code was changed while the instance was running, or it depends on \
                     something that differs between runs ({VARIES}). Restore the code and rewind \
                     the instance; a change that running instances are to survive goes behind \
                     `ctx.patched(id)`, or into a new version"
                )
            }
            FoundBy::Check => {
                format!(
                    "`HostOptions::replay_check` ran the code again right after this step. It \
                     depends on something that differs between runs ({VARIES}), or on \
                     `ctx.is_replaying()`; if the code was changed while the instance was running, \
                     it may be that. Get such values from `ctx` or from an activity"
                )
            }
        };
        NonDeterminism {
            orchestrator: place.orchestrator.to_owned(),
            step: place.step,
            history: self.history,
            code: self.code,
            causes,
            rule: NonDeterminism::REPLAY,
            cause: self.misfit,
        }
    }
}

/// What the history has when a step begins.
fn so_far(step: u64, last_arrival: Option<(&'static str, Option<TaskId>)>) -> String {
    let before = match step {
        0 | 1 => "no earlier step".to_owned(),
        2 => "1 earlier step".to_owned(),
        more => format!("{} earlier steps", more - 1),
    };
    match last_arrival {
        None => before,
        Some((kind, None)) => format!("{before} and then {kind}"),
        Some((kind, Some(id))) => format!("{before} and then {kind} #{id}"),
    }
}

/// The number of the call that an event is about.
pub(crate) fn call_number(event: &EventKind) -> Option<TaskId> {
    match event {
        EventKind::TaskScheduled { id, .. }
        | EventKind::TaskRestarted { id }
        | EventKind::TaskCompleted { id, .. }
        | EventKind::TaskFailed { id, .. }
        | EventKind::SubOrchestrationCreated { id, .. }
        | EventKind::SubOrchestrationCompleted { id, .. }
        | EventKind::SubOrchestrationFailed { id, .. }
        | EventKind::EntityCalled { id, .. }
        | EventKind::EntityCompleted { id, .. }
        | EventKind::EntityFailed { id, .. }
        | EventKind::EntitySignaled { id, .. }
        | EventKind::LockRequested { id, .. }
        | EventKind::LockGranted { id }
        | EventKind::LockFailed { id, .. }
        | EventKind::LockReleased { id }
        | EventKind::TimerCreated { id, .. }
        | EventKind::TimerFired { id }
        | EventKind::EventSent { id, .. } => Some(*id),
        _ => None,
    }
}

/// An action of the code, as far as every replay compares it.
pub(super) fn describe(action: &EventKind) -> String {
    match action {
        EventKind::TaskScheduled { id, name, .. } => format!("call #{id} of activity {name:?}"),
        EventKind::TimerCreated { id, .. } => format!("timer #{id}"),
        EventKind::SubOrchestrationCreated {
            id, name, instance, ..
        } => format!("call #{id} of orchestrator {name:?} as {instance:?}"),
        EventKind::EventSent {
            id, name, instance, ..
        } => format!("event #{id} {name:?} sent to {instance:?}"),
        EventKind::EntityCalled {
            id,
            entity,
            operation,
            ..
        } => format!("call #{id} of operation {operation:?} of entity {entity:?}"),
        EventKind::EntitySignaled {
            id,
            entity,
            operation,
            ..
        } => format!("signal #{id} {operation:?} to entity {entity:?}"),
        EventKind::LockRequested { id, entities } => format!("lock #{id} of {entities:?}"),
        EventKind::LockReleased { id } => format!("the release of lock #{id}"),
        EventKind::PatchMarked { patch, .. } => format!("the mark of patch {patch:?}"),
        other => other.name().to_owned(),
    }
}

/// An action of the code, with what only the check compares.
pub(super) fn describe_wholly(action: &EventKind) -> String {
    let call = describe(action);
    match action {
        EventKind::TaskScheduled { input, .. } | EventKind::EntityCalled { input, .. } => {
            format!("{call} with {}", beginning(input))
        }
        EventKind::TimerCreated { fire_at, .. } => format!("{call} due at {fire_at}"),
        EventKind::SubOrchestrationCreated { version, input, .. } => {
            let version = version.as_deref().unwrap_or("any");
            format!("{call} in version {version} with {}", beginning(input))
        }
        EventKind::EventSent { data, .. } => format!("{call} with {}", beginning(data)),
        EventKind::EntitySignaled { input, at, .. } => {
            let at = at.map_or_else(String::new, |at| format!(" at {at}"));
            format!("{call}{at} with {}", beginning(input))
        }
        _ => call,
    }
}

/// How the code ended, as a clause about it.
pub(super) fn ending(completion: Option<&Completion>) -> String {
    match completion {
        None => "went on waiting".to_owned(),
        Some(Completion::Completed(output)) => format!("returned {}", beginning(output)),
        Some(Completion::Failed(failure) | Completion::NonDeterministic(failure)) => {
            format!("failed ({failure})")
        }
        Some(Completion::ContinuedAsNew { request, .. }) => {
            format!("continued as new with {}", beginning(&request.input))
        }
    }
}

/// So much of a payload as a message can hold.
pub(super) fn beginning(payload: &crate::model::Payload) -> String {
    const LIMIT: usize = 200;
    let json = payload.as_json();
    match json.char_indices().nth(LIMIT) {
        None => json.to_owned(),
        Some((end, _)) => format!("{}..", &json[..end]),
    }
}
