//! Rewinding a failed execution: taking its last failures out of the history, so that what failed
//! is run again and what succeeded is not.

use crate::model::{EventKind, HistoryEvent, InstanceId, TaskId};

/// A history from which the last failures have been taken out.
#[derive(Debug)]
pub(crate) struct Rewound {
    pub(crate) history: Vec<HistoryEvent>,
    /// Sub-orchestrations that failed and are to be rewound as well.
    pub(crate) children: Vec<InstanceId>,
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
    let failures: Vec<TaskId> = kept.iter().filter_map(failed_task).collect();
    let mut removed = failures.clone();
    if !is_consistent(&without(&kept, &removed)) {
        removed.clear();
        for id in failures.into_iter().rev() {
            removed.push(id);
            if !is_consistent(&without(&kept, &removed)) {
                removed.pop();
            }
        }
    }
    let mut rewound = without(&kept, &removed);
    let children = removed
        .iter()
        .filter_map(|id| child_of(&kept, *id))
        .collect();
    rewound.push(marker);
    Rewound {
        history: rewound,
        children,
    }
}

/// The episode in which the code failed is run again, not replayed, unless it has done something.
fn drop_last_episode_if_idle(history: &mut Vec<HistoryEvent>) {
    let last = history
        .iter()
        .rposition(|event| event.kind == EventKind::OrchestratorStarted);
    if let Some(at) = last
        && !history[at..].iter().any(|event| event.kind.is_action())
    {
        history.remove(at);
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

fn without(history: &[HistoryEvent], failures: &[TaskId]) -> Vec<HistoryEvent> {
    history
        .iter()
        .filter(|event| {
            let task = failed_task(event).or_else(|| restarted_task(event));
            task.is_none_or(|id| !failures.contains(&id))
        })
        .cloned()
        .collect()
}

fn child_of(history: &[HistoryEvent], task: TaskId) -> Option<InstanceId> {
    history.iter().find_map(|event| match &event.kind {
        EventKind::SubOrchestrationCreated { id, instance, .. } if *id == task => {
            Some(instance.clone())
        }
        _ => None,
    })
}
