//! One instance in memory.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use send_wrapper::SendWrapper;

use super::check::KeptHistory;
use super::{Job, Origin, Rejection};
use crate::engine::{ExecutionState, LiveExecution};
use crate::model::{
    Due, EventKind, ExecutionStarted, HistoryEvent, InstanceRecord, Payload, Reply, RuntimeStatus,
};

/// The running code of an instance. It may be sent to other threads, and used and dropped in its own one only.
pub(crate) type Live = SendWrapper<LiveExecution>;

/// An instance whose row is known; its code may be live or not.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) record: TrackedRecord,
    pub(super) state: ExecutionState,
    pub(super) live: Option<Live>,
    /// What the code begins with, until it has begun.
    pub(super) input: Option<Payload>,
    /// The time of its code is not before this one.
    pub(super) not_before: DateTime<Utc>,
    /// The history as loaded, kept for the jobs that the instance was loaded for.
    pub(super) history: Option<Vec<HistoryEvent>>,
    /// The history as it is now, while `replay_check` is on.
    pub(super) kept: KeptHistory,
    /// The number of the next row of history.
    pub(super) next_row: u64,
    /// Whether the history in storage is to be replaced.
    pub(super) reset_history: bool,
    /// What has arrived and is not recorded.
    pub(super) arrived: Vec<HistoryEvent>,
    /// What is recorded and has not been given to the code.
    pub(super) undelivered: Vec<EventKind>,
    /// Answers that go out with the next record.
    pub(super) answers: Vec<(Origin, Result<Reply, Rejection>)>,
    pub(super) runnable: bool,
    /// The time under which it stands in the due queue.
    pub(super) queued_due: Option<DateTime<Utc>>,
    /// The commit that made its last change durable, or will.
    pub(super) changed_in: u64,
    /// Whether it has ended and nobody has been told.
    pub(super) just_ended: bool,
    /// Tells the latest use.
    pub(super) stamp: u64,
    pub(super) last_used: DateTime<Utc>,
    /// What waits until the last change is durable and the history can be read back.
    pub(super) after_commit: Vec<Job>,
}

impl Instance {
    /// An instance that is started now.
    pub(super) fn started(
        record: InstanceRecord,
        started: ExecutionStarted,
        now: DateTime<Utc>,
    ) -> Self {
        let state =
            ExecutionState::new(started.execution, started.parent.clone(), started.start_at);
        let mut instance = Self::new(record, state);
        instance.input = Some(started.input.clone());
        instance.reset_history = true;
        instance.arrive(now, EventKind::ExecutionStarted(Box::new(started)));
        instance
    }

    pub(super) fn new(record: InstanceRecord, state: ExecutionState) -> Self {
        Self {
            not_before: record.created,
            record: TrackedRecord::new(record),
            state,
            live: None,
            input: None,
            history: None,
            kept: KeptHistory::default(),
            next_row: 0,
            reset_history: false,
            arrived: Vec::new(),
            undelivered: Vec::new(),
            answers: Vec::new(),
            runnable: false,
            queued_due: None,
            changed_in: 0,
            just_ended: false,
            stamp: 0,
            last_used: DateTime::UNIX_EPOCH,
            after_commit: Vec::new(),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.record.status.has_ended()
    }

    /// Notes something that has happened to the instance.
    pub(super) fn arrive(&mut self, now: DateTime<Utc>, event: EventKind) {
        self.state.apply(&event);
        self.arrived.push(HistoryEvent::new(now, event));
    }

    /// Whether its code may run at `now`.
    pub(super) fn may_run(&self, now: DateTime<Utc>) -> bool {
        match self.record.status {
            RuntimeStatus::Running => !self.state.has_lost_locks(),
            RuntimeStatus::Pending => self.state.start_at.is_none_or(|start_at| start_at <= now),
            _ => false,
        }
    }

    /// When the instance has to be looked after.
    pub(super) fn next_due(&self) -> Option<Due> {
        if !self.state.activities.is_empty() {
            return Some(Due::Now);
        }
        if self.has_ended() {
            return None;
        }
        let waits_for_code = self.state.has_run && self.live.is_none();
        let has_more = !self.undelivered.is_empty() && self.record.status == RuntimeStatus::Running;
        if waits_for_code || has_more {
            return Some(Due::Now);
        }
        if self.state.has_run {
            self.state.timers.next().map(Due::At)
        } else {
            // Also an instance whose first episode is still to come: recovery has to find it.
            Some(self.state.start_at.map_or(Due::Now, Due::At))
        }
    }

    /// The next time at which something of it is due by itself.
    pub(super) fn next_time(&self) -> Option<DateTime<Utc>> {
        if self.has_ended() {
            None
        } else if self.state.has_run {
            self.state.timers.next()
        } else {
            self.state.start_at
        }
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_at_rest(&self, committed: u64) -> bool {
        !self.runnable
            && self.arrived.is_empty()
            && self.answers.is_empty()
            && self.after_commit.is_empty()
            && self.changed_in <= committed
    }
}

/// The row of an instance, which knows whether it has changed since it was last written. To change it is
/// to [`edit`](Self::edit) it.
#[derive(Debug)]
pub(super) struct TrackedRecord {
    record: InstanceRecord,
    has_changed: bool,
}

impl TrackedRecord {
    /// Nothing has changed yet.
    pub(super) fn new(record: InstanceRecord) -> Self {
        Self {
            record,
            has_changed: false,
        }
    }

    pub(super) fn edit(&mut self) -> &mut InstanceRecord {
        self.has_changed = true;
        &mut self.record
    }

    /// Something was recorded of the instance at `now`, which is not reason enough to write the row.
    pub(super) fn touch(&mut self, now: DateTime<Utc>) {
        self.record.updated = now;
    }

    pub(super) fn set_status(&mut self, status: RuntimeStatus) {
        if self.status != status {
            self.edit().status = status;
        }
    }

    pub(super) fn set_due(&mut self, due: Option<Due>) {
        if self.due != due {
            self.edit().due = due;
        }
    }

    /// Whether it has changed. From now on it counts as written.
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }
}

impl Deref for TrackedRecord {
    type Target = InstanceRecord;

    fn deref(&self) -> &InstanceRecord {
        &self.record
    }
}
