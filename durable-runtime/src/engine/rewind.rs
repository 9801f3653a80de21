//! Rewinding a failed execution: taking its last failures out of the history, so that what failed
//! is run again and what succeeded is not.

use rustc_hash::FxHashSet;

use crate::model::{EventKind, Failure, HistoryEvent, TaskId};

/// A history from which the last failures have been taken out.
#[derive(Debug)]
pub(crate) struct Rewound {
    pub(crate) history: Vec<HistoryEvent>,
    /// The calls whose failures were taken out.
    pub(crate) again: FxHashSet<TaskId>,
}

/// Rewinds `history`, which ends in a failure, and ends it with `marker`.
///
/// A failure that the code has seen and gone on from (it was caught, or was retried) is part of what
/// later steps depend on: without it the code would not repeat them. Those are told from the ones
/// that brought the execution down by `is_consistent`, which replays a history: taken out are as
/// many failures, from the last backwards, as leave the rest of the history valid.
pub(crate) fn rewind(
    history: &[HistoryEvent],
    marker: HistoryEvent,
    mut is_consistent: impl FnMut(&[HistoryEvent]) -> bool,
) -> Rewound {
    let mut kept: Vec<HistoryEvent> = history
        .iter()
        .filter(|event| !matches!(event.kind, EventKind::ExecutionFailed { .. }))
        .cloned()
        .collect();
    drop_last_episode_if_idle(&mut kept);
    // Before the replays: it allows the code to end in its last step.
    kept.push(marker);
    let failures: Vec<TaskId> = kept.iter().filter_map(failed_task).collect();
    let removed = removable(&kept, &failures, &mut is_consistent);
    Rewound {
        history: without(&kept, &removed),
        again: removed,
    }
}

/// How many histories are tried at most. One with more failures that the code went on from keeps the
/// earliest of them unasked.
const MAX_TRIES: usize = 256;

/// The failures without which the rest of a history is consistent: all of them most of the time, and
/// otherwise as many as are found by halving, the latest first.
fn removable(
    history: &[HistoryEvent],
    failures: &[TaskId],
    is_consistent: &mut impl FnMut(&[HistoryEvent]) -> bool,
) -> FxHashSet<TaskId> {
    let mut removed = FxHashSet::default();
    let mut ranges = vec![failures];
    for _ in 0..MAX_TRIES {
        let Some(range) = ranges.pop() else {
            break;
        };
        removed.extend(range);
        if range.is_empty() || is_consistent(&without(history, &removed)) {
            continue;
        }
        for id in range {
            removed.remove(id);
        }
        if range.len() > 1 {
            let (earlier, later) = range.split_at(range.len() / 2);
            ranges.extend([earlier, later]);
        }
    }
    removed
}

/// A history that ends because the code was not deterministic, without the step in which that was found:
/// what the code did in it counted for nothing, and mended code takes it anew.
pub(crate) fn without_refused_step(history: &mut Vec<HistoryEvent>) {
    let is_refusal = |event: &HistoryEvent| {
        matches!(&event.kind, EventKind::ExecutionFailed { failure }
            if failure.error_type() == Failure::NON_DETERMINISTIC)
    };
    if history.last().is_some_and(is_refusal) {
        drop_last_episode_if_idle(history);
    }
}

/// The episode in which the code failed is run again, not replayed, unless it has done something. To
/// drop the guard of a critical section is what failing does, and a patch may be asked for again.
fn drop_last_episode_if_idle(history: &mut Vec<HistoryEvent>) {
    let last = history
        .iter()
        .rposition(|event| event.kind == EventKind::OrchestratorStarted);
    let is_idle = |event: &HistoryEvent| {
        matches!(
            event.kind,
            EventKind::LockReleased { .. } | EventKind::PatchMarked { .. }
        )
    };
    let is_action = |event: &HistoryEvent| event.kind.is_action() && !is_idle(event);
    if let Some(at) = last
        && !history[at..].iter().any(is_action)
    {
        let ran = history.split_off(at);
        history.extend(ran.into_iter().skip(1).filter(|event| !is_idle(event)));
    }
}

fn failed_task(event: &HistoryEvent) -> Option<TaskId> {
    match event.kind {
        EventKind::TaskFailed { id, .. } | EventKind::SubOrchestrationFailed { id, .. } => Some(id),
        _ => None,
    }
}

/// What a crash interrupted before is not held against an activity that is run again by request.
fn restarted_task(event: &HistoryEvent) -> Option<TaskId> {
    match event.kind {
        EventKind::TaskRestarted { id } => Some(id),
        _ => None,
    }
}

fn without(history: &[HistoryEvent], failures: &FxHashSet<TaskId>) -> Vec<HistoryEvent> {
    history
        .iter()
        .filter(|event| {
            let task = failed_task(event).or_else(|| restarted_task(event));
            task.is_none_or(|id| !failures.contains(&id))
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule 8: of many failures only those that brought the execution down are taken out, and few
    /// histories are tried for that.
    #[test]
    fn the_failures_that_matter_are_found_by_halving() {
        let failures: Vec<_> = (0..1_000).map(TaskId).collect();
        let history: Vec<_> = failures
            .iter()
            .map(|id| {
                let failure = crate::model::Failure::new("", "");
                let event = EventKind::TaskFailed { id: *id, failure };
                HistoryEvent::new(chrono::DateTime::UNIX_EPOCH, event)
            })
            .collect();
        // The code went on from two of them.
        let went_on = [TaskId(3), TaskId(700)];
        let mut tries = 0;
        let removed = removable(&history, &failures, &mut |history| {
            tries += 1;
            let kept: Vec<_> = history.iter().filter_map(failed_task).collect();
            went_on.iter().all(|id| kept.contains(id))
        });
        assert_eq!(removed.len(), 998);
        assert!(!removed.contains(&TaskId(3)) && !removed.contains(&TaskId(700)));
        assert!(tries < 50, "{tries}");
    }
}
