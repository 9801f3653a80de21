//! What a history adds up to: the state of an execution as a fold over its events.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rustc_hash::FxHashMap;

use crate::model::{
    EntityId, EventKind, ExecutionId, HistoryEvent, InstanceId, ParentLink, Payload, TaskId,
};

/// An execution, as far as its history tells without running the code.
#[derive(Debug, Clone)]
pub(crate) struct ExecutionState {
    /// The execution that answers to calls are matched with. A rewind does not change it.
    pub(crate) lineage: ExecutionId,
    pub(crate) parent: Option<ParentLink>,
    pub(crate) start_at: Option<DateTime<Utc>>,
    /// Whether the code has run at all.
    pub(crate) has_run: bool,
    pub(crate) activities: BTreeMap<TaskId, OpenActivity>,
    pub(crate) timers: Timers,
    pub(crate) children: BTreeMap<TaskId, InstanceId>,
    /// Critical sections that were asked for and not ended. The end of the execution leaves them here,
    /// for whoever has them released.
    pub(crate) locks: BTreeMap<TaskId, OpenLock>,
}

/// An activity that has been called and has not ended.
#[derive(Debug, Clone)]
pub(crate) struct OpenActivity {
    /// Name and input, until it is handed to an executor.
    pub(crate) call: Option<(String, Payload)>,
    /// How often it was begun again after a crash.
    pub(crate) restarts: u32,
}

/// A critical section that was asked for and not ended.
#[derive(Debug, Clone)]
pub(crate) struct OpenLock {
    /// In order.
    pub(crate) entities: Vec<EntityId>,
    pub(crate) stage: LockStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockStage {
    /// The code waits for it, or does something else until it comes.
    Requested,
    Held,
    /// The code is inside of it, but it was released when the execution failed. The code does not run
    /// until the entities are locked again.
    Lost,
}

impl ExecutionState {
    pub(crate) fn new(
        lineage: ExecutionId,
        parent: Option<ParentLink>,
        start_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            lineage,
            parent,
            start_at,
            has_run: false,
            activities: BTreeMap::new(),
            timers: Timers::default(),
            children: BTreeMap::new(),
            locks: BTreeMap::new(),
        }
    }

    /// The state after `history`; an error if that does not begin as histories do.
    pub(crate) fn from_history(history: &[HistoryEvent]) -> Result<Self, String> {
        let Some(EventKind::ExecutionStarted(started)) = history.first().map(|event| &event.kind)
        else {
            return Err("its history does not begin with ExecutionStarted".to_owned());
        };
        let mut state = Self::new(started.execution, started.parent.clone(), started.start_at);
        for event in history {
            state.apply(&event.kind);
        }
        Ok(state)
    }

    /// Whether the code has to wait because it is inside of a section that is not held.
    pub(crate) fn has_lost_locks(&self) -> bool {
        self.locks
            .values()
            .any(|open| open.stage == LockStage::Lost)
    }

    pub(crate) fn apply(&mut self, event: &EventKind) {
        match event {
            EventKind::OrchestratorStarted => self.has_run = true,
            EventKind::TaskScheduled { id, name, input } => {
                let open = OpenActivity {
                    call: Some((name.clone(), input.clone())),
                    restarts: 0,
                };
                self.activities.insert(*id, open);
            }
            EventKind::TaskRestarted { id } => {
                if let Some(open) = self.activities.get_mut(id) {
                    open.restarts += 1;
                }
            }
            EventKind::TaskCompleted { id, .. } | EventKind::TaskFailed { id, .. } => {
                self.activities.remove(id);
            }
            EventKind::SubOrchestrationCreated { id, instance, .. } => {
                self.children.insert(*id, instance.clone());
            }
            EventKind::SubOrchestrationCompleted { id, .. }
            | EventKind::SubOrchestrationFailed { id, .. } => {
                self.children.remove(id);
            }
            EventKind::LockRequested { id, entities } => {
                let open = OpenLock {
                    entities: entities.clone(),
                    stage: LockStage::Requested,
                };
                self.locks.insert(*id, open);
            }
            EventKind::LockGranted { id } => {
                if let Some(open) = self.locks.get_mut(id) {
                    open.stage = LockStage::Held;
                }
            }
            EventKind::LockFailed { id, .. } | EventKind::LockReleased { id } => {
                self.locks.remove(id);
            }
            EventKind::ExecutionRewound { .. } => {
                for open in self.locks.values_mut() {
                    if open.stage == LockStage::Held {
                        open.stage = LockStage::Lost;
                    }
                }
            }
            EventKind::TimerCreated { id, fire_at } => {
                self.timers.insert(*id, *fire_at);
            }
            EventKind::TimerFired { id } => {
                self.timers.remove(*id);
            }
            EventKind::ExecutionTerminated { .. } => {
                self.activities.clear();
                self.timers.clear();
            }
            EventKind::ExecutionCompleted { .. } | EventKind::ExecutionFailed { .. } => {
                self.timers.clear();
            }
            EventKind::ExecutionStarted(_)
            | EventKind::EventRaised { .. }
            | EventKind::EventSent { .. }
            | EventKind::PatchMarked { .. }
            | EventKind::EntityCalled { .. }
            | EventKind::EntityCompleted { .. }
            | EventKind::EntityFailed { .. }
            | EventKind::EntitySignaled { .. }
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. } => {}
        }
    }
}

/// Timers that have been created and neither fired nor cancelled. An execution may have thousands, of
/// which each step looks only at the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    times: FxHashMap<TaskId, DateTime<Utc>>,
    in_order: BTreeSet<(DateTime<Utc>, TaskId)>,
}

impl Timers {
    fn insert(&mut self, id: TaskId, fire_at: DateTime<Utc>) {
        self.remove(id);
        self.times.insert(id, fire_at);
        self.in_order.insert((fire_at, id));
    }

    pub(crate) fn remove(&mut self, id: TaskId) {
        if let Some(fire_at) = self.times.remove(&id) {
            self.in_order.remove(&(fire_at, id));
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    /// When the first is due.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.in_order.first().map(|(fire_at, _)| *fire_at)
    }

    /// Those that are due, in the order of their times.
    pub(crate) fn due(&self, now: DateTime<Utc>) -> Vec<TaskId> {
        let due = self.in_order.iter();
        due.take_while(|(fire_at, _)| *fire_at <= now)
            .map(|(_, id)| *id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    // Rule 27: those overdue are due in the order of their times.
    #[test]
    fn timers_are_due_in_the_order_of_their_times() {
        let mut timers = Timers::default();
        for (id, time) in [(0, 30), (1, 10), (2, 20), (3, 10), (4, 40)] {
            timers.insert(TaskId(id), at(time));
        }
        timers.remove(TaskId(2));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.due(at(30)), [TaskId(1), TaskId(3), TaskId(0)]);
        timers.remove(TaskId(1));
        timers.remove(TaskId(3));
        assert_eq!(timers.next(), Some(at(30)));
        assert_eq!(timers.due(at(29)), []);
        timers.clear();
        assert_eq!(timers.next(), None);
    }
}
