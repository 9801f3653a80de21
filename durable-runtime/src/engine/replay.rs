//! Bringing an execution back to where it was, and checking that its code does what its history
//! says.
//!
//! Compared are the calls: their kinds, numbers and names, the instances of sub-orchestrations, and the
//! entities that are locked.
//! What they were given is not: the recorded call counts, with its recorded result and the recorded
//! time of a timer, so that code may change an input or a delay while its instances run. The
//! [check](super::check) of a step that has just run, by the same code, compares that as well.

use chrono::{DateTime, Utc};

use super::live::{Completion, Episode, LiveExecution};
use super::nondeterminism::{Difference, FoundBy, NonDeterminism, beginning, describe, ending};
use crate::model::{EntityId, EventKind, Failure, HistoryEvent, InstanceId, TaskId};

/// An execution that has been replayed to the end of its history.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// Timers that are in the history but were cancelled by the code.
    pub(crate) cancelled_timers: Vec<TaskId>,
    /// What has arrived since the last episode and not been given to the code.
    pub(crate) undelivered: Vec<EventKind>,
    /// Set when the code has ended: its history has as well, or the instance was rewound, and its last
    /// step ends it again.
    pub(crate) completion: Option<Completion>,
}

/// One episode of a history: what arrived, when the code ran, and what it did.
#[derive(Debug)]
pub(super) struct Recorded<'a> {
    pub(super) arrivals: Vec<&'a EventKind>,
    pub(super) time: DateTime<Utc>,
    pub(super) actions: Vec<&'a EventKind>,
}

/// Runs `live`, which has just begun, through `history`.
///
/// # Errors
///
/// Where the code does anything else than the history says.
pub(crate) fn replay(
    live: &mut LiveExecution,
    history: &[HistoryEvent],
) -> Result<Replayed, Box<NonDeterminism>> {
    let (episodes, rest) = episodes(history);
    let mut cancelled_timers = Vec::new();
    let mut completion = None;
    let end = RecordedEnd::of(&rest);
    let count = episodes.len();
    for (index, recorded) in episodes.into_iter().enumerate() {
        let (recorded, episode) = repeat(live, recorded);
        if let Some(refused) = live.take_refused() {
            return Err(refused);
        }
        let further = count - index - 1;
        if let Some((history, code)) = compare(&recorded, &episode, further, &end) {
            let difference = Difference {
                history,
                code,
                found_by: FoundBy::Replay,
                misfit: episode.completion.as_ref().and_then(misfit).cloned(),
            };
            return Err(Box::new(live.difference(difference)));
        }
        cancelled_timers.extend(episode.actions.cancelled_timers);
        completion = episode.completion;
    }
    Ok(Replayed {
        cancelled_timers,
        undelivered: rest.into_iter().cloned().collect(),
        completion,
    })
}

/// Runs a step again. Of what it did then and now those marks of patches are left out that code need not
/// repeat.
pub(super) fn repeat<'a>(
    live: &mut LiveExecution,
    mut recorded: Recorded<'a>,
) -> (Recorded<'a>, Episode) {
    live.expect(recorded.actions.iter().copied());
    let mut episode = live.run(recorded.time, true, recorded.arrivals.iter().copied());
    recorded.actions.retain(|action| !live.is_optional(action));
    let done = &mut episode.actions.actions;
    done.retain(|action| !live.is_optional(action));
    (recorded, episode)
}

/// Splits a history into its episodes, and what has arrived after the last of them.
pub(super) fn episodes(history: &[HistoryEvent]) -> (Vec<Recorded<'_>>, Vec<&EventKind>) {
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
    (episodes, arrivals)
}

/// How the code has ended, as far as its history tells.
enum RecordedEnd {
    /// It goes on.
    None,
    /// A rewind takes the end out of the history of the step that ended it.
    Rewound,
    Returned(String),
    Failed(String),
    /// The execution ended, and not by what its code did.
    FromOutside,
}

impl RecordedEnd {
    /// `rest` is what the history has after its last step.
    fn of(rest: &[&EventKind]) -> Self {
        rest.iter().fold(Self::None, |end, event| match event {
            EventKind::ExecutionRewound { .. } => Self::Rewound,
            EventKind::ExecutionCompleted { result } => {
                Self::Returned(format!("that the code returned {}", beginning(result)))
            }
            EventKind::ExecutionFailed { failure }
                if [Failure::NON_DETERMINISTIC, Failure::CORRUPT]
                    .contains(&failure.error_type()) =>
            {
                Self::FromOutside
            }
            EventKind::ExecutionFailed { failure } => {
                Self::Failed(format!("that the code failed ({failure})"))
            }
            EventKind::ExecutionTerminated { .. } => Self::FromOutside,
            _ => end,
        })
    }
}

/// Compares a step that is followed by `further` ones with its repetition. Gives what the history has
/// and what the code did, where they differ.
fn compare(
    recorded: &Recorded<'_>,
    episode: &Episode,
    further: usize,
    end: &RecordedEnd,
) -> Option<(String, String)> {
    let done = &episode.actions.actions;
    if let Some(at) = first_difference(&recorded.actions, done, is_same_call) {
        let recorded = recorded.actions.get(at).copied();
        let (history, code) = both_sides(recorded, done.get(at), describe);
        // That it ended is why it did no more.
        let has_ended = done.get(at).is_none() && episode.completion.is_some();
        let ended = has_ended.then(|| ending(episode.completion.as_ref()));
        return Some((history, ended.unwrap_or(code)));
    }
    let history = match (further, end, &episode.completion) {
        (0, RecordedEnd::FromOutside | RecordedEnd::Rewound, _)
        | (0, RecordedEnd::Returned(_), Some(Completion::Completed(_)))
        | (0, RecordedEnd::Failed(_), Some(Completion::Failed(_))) => return None,
        (0, RecordedEnd::Returned(how) | RecordedEnd::Failed(how), _) => how.clone(),
        (_, _, None) => return None,
        (0, ..) => "no end of it".to_owned(),
        (1, ..) => "a further step".to_owned(),
        (more, ..) => format!("{more} further steps"),
    };
    Some((history, ending(episode.completion.as_ref())))
}

/// What the code could not read, if it failed with that.
fn misfit(completion: &Completion) -> Option<&Failure> {
    let Completion::Failed(failure) = completion else {
        return None;
    };
    let mut links = std::iter::successors(Some(failure), |failure| failure.inner());
    links.find(|link| link.error_type() == Failure::SERIALIZATION)
}

/// The place of the first action that is not repeated, missing, or one too many.
pub(super) fn first_difference(
    recorded: &[&EventKind],
    done: &[EventKind],
    is_same: impl Fn(&EventKind, &EventKind) -> bool,
) -> Option<usize> {
    let differs = |at: &usize| match (recorded.get(*at), done.get(*at)) {
        (Some(recorded), Some(done)) => !is_same(recorded, done),
        (recorded, done) => recorded.is_some() != done.is_some(),
    };
    (0..recorded.len().max(done.len())).find(differs)
}

/// What the history has and what the code did at a place where they differ.
pub(super) fn both_sides(
    recorded: Option<&EventKind>,
    done: Option<&EventKind>,
    describe: impl Fn(&EventKind) -> String,
) -> (String, String) {
    let history = recorded.map_or_else(|| "nothing more in this step".to_owned(), &describe);
    let code = done.map_or_else(
        || "did nothing more in this step".to_owned(),
        |action| format!("made {}", describe(action)),
    );
    (history, code)
}

/// Whether two actions are the same call: of the same kind, with the same number and name.
pub(super) fn is_same_call(one: &EventKind, other: &EventKind) -> bool {
    call_of(one) == call_of(other) && locked_by(one) == locked_by(other)
}

/// The entities that an action asks to lock: code that is given a guard counts on just those.
fn locked_by(action: &EventKind) -> &[EntityId] {
    match action {
        EventKind::LockRequested { entities, .. } => entities,
        _ => &[],
    }
}

/// What an action has in common with its repetition.
fn call_of(action: &EventKind) -> (&'static str, Option<TaskId>, &str, Option<&InstanceId>) {
    let (id, name, instance) = match action {
        EventKind::TaskScheduled { id, name, .. } | EventKind::EventSent { id, name, .. } => {
            (Some(*id), name.as_str(), None)
        }
        EventKind::TimerCreated { id, .. }
        | EventKind::LockRequested { id, .. }
        | EventKind::LockReleased { id } => (Some(*id), "", None),
        EventKind::SubOrchestrationCreated {
            id, name, instance, ..
        } => (Some(*id), name.as_str(), Some(instance)),
        EventKind::PatchMarked { patch, .. } => (None, patch.as_str(), None),
        EventKind::EntityCalled { id, operation, .. }
        | EventKind::EntitySignaled { id, operation, .. } => (Some(*id), operation.as_str(), None),
        _ => (None, "", None),
    };
    (action.name(), id, name, instance)
}
