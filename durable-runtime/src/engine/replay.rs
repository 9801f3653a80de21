//! Bringing an execution back to where it was, and checking that its code does what its history
//! says.

use chrono::{DateTime, Utc};

use super::live::{Completion, Episode, LiveExecution};
use crate::model::{EventKind, Failure, HistoryEvent, InstanceId, TaskId};

/// An execution that has been replayed to the end of its history.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// Timers that are in the history but were cancelled by the code.
    pub(crate) cancelled_timers: Vec<TaskId>,
    /// What has arrived since the last episode and not been given to the code.
    pub(crate) undelivered: Vec<EventKind>,
    /// Set when the code has ended although its history has not: its code has changed since, or the
    /// instance was rewound.
    pub(crate) completion: Option<Completion>,
}

/// One episode of a history: what arrived, when the code ran, and what it did.
struct Recorded<'a> {
    arrivals: Vec<&'a EventKind>,
    time: DateTime<Utc>,
    actions: Vec<&'a EventKind>,
}

/// Runs `live`, which has just begun, through `history`.
///
/// # Errors
///
/// [`Failure::NON_DETERMINISTIC`] if the code does anything else than the history says.
pub(crate) fn replay(
    live: &mut LiveExecution,
    history: &[HistoryEvent],
) -> Result<Replayed, Failure> {
    let (episodes, undelivered) = episodes(history);
    let mut replayed = Replayed {
        cancelled_timers: Vec::new(),
        undelivered,
        completion: None,
    };
    let last = episodes.len().saturating_sub(1);
    for (index, recorded) in episodes.into_iter().enumerate() {
        let episode = live.run(recorded.time, true, recorded.arrivals.iter().copied());
        check(live, index, &recorded.actions, &episode)?;
        let Episode {
            actions,
            completion,
        } = episode;
        replayed.cancelled_timers.extend(actions.cancelled_timers);
        replayed.completion = completion;
        if replayed.completion.is_some() {
            if index < last {
                return Err(ended_early(live, index, &replayed));
            }
            break;
        }
    }
    Ok(replayed)
}

/// Splits a history into its episodes, and what has arrived after the last of them.
fn episodes(history: &[HistoryEvent]) -> (Vec<Recorded<'_>>, Vec<EventKind>) {
    let mut episodes: Vec<Recorded<'_>> = Vec::new();
    let mut arrivals = Vec::new();
    for event in history {
        match &event.kind {
            EventKind::OrchestratorStarted => episodes.push(Recorded {
                arrivals: std::mem::take(&mut arrivals),
                time: event.timestamp,
                actions: Vec::new(),
            }),
            action if action.is_action() => {
                if let Some(episode) = episodes.last_mut() {
                    episode.actions.push(action);
                }
            }
            arrival => arrivals.push(arrival),
        }
    }
    (episodes, arrivals.into_iter().cloned().collect())
}

fn check(
    live: &LiveExecution,
    index: usize,
    recorded: &[&EventKind],
    episode: &Episode,
) -> Result<(), Failure> {
    if let Some(Completion::Failed(failure)) = &episode.completion
        && failure.error_type() == Failure::NON_DETERMINISTIC
    {
        return Err(failure.clone());
    }
    let done = &episode.actions.actions;
    let differs = |at: &usize| match (recorded.get(*at), done.get(*at)) {
        (Some(recorded), Some(done)) => !is_same_action(recorded, done),
        (recorded, done) => recorded.is_some() != done.is_some(),
    };
    match (0..recorded.len().max(done.len())).find(differs) {
        None => Ok(()),
        Some(at) => Err(non_deterministic(
            live,
            index,
            &recorded
                .get(at)
                .map_or_else(nothing, |action| describe(action)),
            &done.get(at).map_or_else(nothing, describe),
        )),
    }
}

fn nothing() -> String {
    "nothing more".to_owned()
}

fn ended_early(live: &LiveExecution, index: usize, replayed: &Replayed) -> Failure {
    let done = match &replayed.completion {
        Some(Completion::Failed(failure)) => format!("failed: {failure}"),
        Some(Completion::ContinuedAsNew { .. }) => "continued as new".to_owned(),
        _ => "returned".to_owned(),
    };
    non_deterministic(live, index, "further steps", &done)
}

/// Whether two actions are the same call: of the same kind, with the same number and name.
fn is_same_action(one: &EventKind, other: &EventKind) -> bool {
    call_of(one) == call_of(other)
}

/// What an action has in common with its repetition.
fn call_of(action: &EventKind) -> (&'static str, Option<TaskId>, &str, Option<&InstanceId>) {
    let (id, name, instance) = match action {
        EventKind::TaskScheduled { id, name, .. } | EventKind::EventSent { id, name, .. } => {
            (Some(*id), name.as_str(), None)
        }
        EventKind::TimerCreated { id, .. } => (Some(*id), "", None),
        EventKind::SubOrchestrationCreated {
            id, name, instance, ..
        } => (Some(*id), name.as_str(), Some(instance)),
        _ => (None, "", None),
    };
    (action.name(), id, name, instance)
}

fn describe(action: &EventKind) -> String {
    match action {
        EventKind::TaskScheduled { id, name, .. } => format!("call #{id} of activity {name:?}"),
        EventKind::TimerCreated { id, .. } => format!("timer #{id}"),
        EventKind::SubOrchestrationCreated {
            id, name, instance, ..
        } => format!("call #{id} of orchestrator {name:?} as {instance:?}"),
        EventKind::EventSent {
            id, name, instance, ..
        } => format!("event #{id} {name:?} sent to {instance:?}"),
        other => other.name().to_owned(),
    }
}

fn non_deterministic(live: &LiveExecution, index: usize, history: &str, code: &str) -> Failure {
    Failure::new(
        Failure::NON_DETERMINISTIC,
        format!(
            "orchestrator {:?} did not repeat its history at step {}: the history has {history}, \
             the code did {code}. Either the code was changed while the instance was running, or it \
             depends on something that differs between runs (a clock, a random number, the \
             environment, the order of a hash map). Restore the code and rewind the instance",
            live.name(),
            index + 1
        ),
    )
}
