//! Watches what becomes durable and what runs, and says what may not be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::context::ActivityContext;
use crate::engine;
use crate::model::{
    Delta, Due, Epoch, EventKind, ExecutionId, HistoryEvent, HistoryRow, InstanceDelta, InstanceId,
    InstanceRecord, PartitionId, RuntimeStatus, TaskId, WorkerId,
};
use crate::registry::Registry;
use crate::storage::Lease;
use crate::testing;

/// Knows the invariants of a hub, and all that was committed. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// To whom storage has given each partition last.
    owners: BTreeMap<PartitionId, (Epoch, WorkerId)>,
    records: BTreeMap<InstanceId, InstanceRecord>,
    histories: BTreeMap<InstanceId, BTreeMap<u64, String>>,
    /// Instances that were deleted, or replaced by others, at some time.
    gone: BTreeSet<InstanceId>,
    /// Calls of activities that are durable, by what names them for good.
    called: BTreeSet<String>,
    ran: BTreeMap<String, u64>,
    violations: Vec<String>,
    commits: u64,
}

impl Witness {
    /// An activity has begun.
    pub fn ran(&self, call: &ActivityContext) {
        let key = call.idempotency_key();
        let mut seen = self.lock();
        if !seen.called.contains(&key) && !seen.has_been_left(call.instance_id(), &key) {
            let (name, instance) = (call.name(), call.instance_id());
            seen.violation(format!(
                "activity {name} of {instance} runs before its call is durable (task {})",
                call.task_id()
            ));
        }
        *seen.ran.entry(key).or_default() += 1;
    }

    /// Something else is wrong.
    pub fn complain(&self, what: impl Into<String>) {
        self.lock().violation(what.into());
    }

    /// How many commits have succeeded.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// How many activities were run again.
    pub fn repeated_activities(&self) -> u64 {
        self.lock().ran.values().map(|times| times - 1).sum()
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    pub(super) fn acquired(&self, worker: &WorkerId, lease: &Lease) {
        let mut seen = self.lock();
        let owner = (lease.epoch, worker.clone());
        let before = seen.owners.insert(lease.partition, owner);
        if before.is_some_and(|(epoch, _)| epoch >= lease.epoch) {
            seen.violation(format!(
                "partition {} was given away again under epoch {}",
                lease.partition, lease.epoch
            ));
        }
    }

    pub(super) fn committed(&self, who: &str, deltas: &[Delta]) {
        let mut seen = self.lock();
        seen.commits += 1;
        for delta in deltas {
            let owner = seen.owners.get(&delta.partition).cloned();
            if owner
                .as_ref()
                .is_none_or(|(epoch, worker)| *epoch != delta.epoch || worker.0 != who)
            {
                seen.violation(format!(
                    "{who} has committed to partition {} under epoch {}, but the owner is {owner:?}",
                    delta.partition, delta.epoch
                ));
            }
            for change in &delta.instances {
                match change {
                    InstanceDelta::Upsert {
                        record,
                        reset_history,
                        append,
                    } => {
                        seen.records
                            .insert(record.id.clone(), InstanceRecord::clone(record));
                        seen.changed(&record.id, *reset_history, append);
                    }
                    InstanceDelta::Append { id, append, .. } => seen.changed(id, false, append),
                    InstanceDelta::Delete { id } => {
                        if let Some(rows) = seen.histories.remove(id) {
                            seen.check(id, &rows);
                        }
                        seen.records.remove(id);
                        seen.gone.insert(id.clone());
                    }
                    InstanceDelta::Entity { .. } => {}
                }
            }
        }
    }

    /// Looks at every history as it is now, and replays it on its code.
    pub(super) fn check_histories(&self, registry: &Registry) {
        let mut seen = self.lock();
        for (id, rows) in std::mem::take(&mut seen.histories) {
            seen.check(&id, &rows);
            let replayed = decode(&rows)
                .and_then(|history| testing::replay_stored(id.clone(), history, registry));
            if let Err(error) = replayed {
                seen.violation(format!("the history of {id} is not repeated: {error}"));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Whether the execution that a call belongs to is known to be over by a commit. What was called in it may
    /// be part of that commit, and is not in its history any more.
    fn has_been_left(&self, instance: &str, key: &str) -> bool {
        let instance = InstanceId::trusted(instance);
        let of_call = key
            .split_once('-')
            .and_then(|(id, _)| Uuid::parse_str(id).ok());
        let Some(of_call) = of_call.map(ExecutionId) else {
            return false;
        };
        let is_gone = self.gone.contains(&instance);
        match self.lineage(&instance) {
            None => is_gone,
            Some(now) => continues(of_call, now) || is_gone && !continues(now, of_call),
        }
    }

    /// The first execution since the instance was started or continued as new.
    fn lineage(&self, id: &InstanceId) -> Option<ExecutionId> {
        let (sequence, first) = self.histories.get(id)?.first_key_value()?;
        let events = decode(&BTreeMap::from([(*sequence, first.clone())])).ok()?;
        lineage(&events)
    }

    fn changed(&mut self, id: &InstanceId, reset: bool, append: &[HistoryRow]) {
        let before = self.lineage(id);
        if reset && let Some(rows) = self.histories.remove(id) {
            self.check(id, &rows);
        }
        let mut changed = Vec::new();
        let rows = self.histories.entry(id.clone()).or_default();
        for row in append {
            let before = rows.insert(row.sequence, row.events.clone());
            // A commit may be repeated, but as it was.
            if before.is_some_and(|before| before != row.events) {
                changed.push(row.sequence);
            }
        }
        let events = decode(rows);
        for sequence in changed {
            self.violation(format!("row {sequence} of the history of {id} has changed"));
        }
        match events {
            Ok(events) => {
                if let (Some(before), Some(now)) = (before, lineage(&events))
                    && before != now
                    && !continues(before, now)
                {
                    self.gone.insert(id.clone());
                }
                self.note_calls(&events);
                self.compare(id, &events);
            }
            Err(error) => self.violation(format!("the history of {id}: {error}")),
        }
    }

    /// The row of an instance says what its history says.
    fn compare(&mut self, id: &InstanceId, events: &[HistoryEvent]) {
        let Some(record) = self.records.get(id) else {
            return self.violation(format!("{id} has a history and no row"));
        };
        let mut wrong = Vec::new();
        let told = Told::by(events);
        // One that has continued as new runs before its code has.
        let status = match record.status {
            RuntimeStatus::Running if told.status == RuntimeStatus::Pending => told.status,
            status => status,
        };
        if status != told.status || told.execution != Some(record.execution) {
            wrong.push(format!(
                "{} in {}, and its history {} in {:?}",
                record.status, record.execution, told.status, told.execution
            ));
        }
        if !status.has_ended() && !told.activities.is_empty() && record.due != Some(Due::Now) {
            wrong.push(format!(
                "due {:?} with the activities {:?}",
                record.due, told.activities
            ));
        }
        if status == RuntimeStatus::Pending && record.due.is_none() {
            wrong.push("that it need not begin".to_owned());
        }
        for wrong in wrong {
            self.violation(format!("the row of {id} says {wrong}"));
        }
    }

    fn note_calls(&mut self, events: &[HistoryEvent]) {
        let Some(lineage) = lineage(events) else {
            return;
        };
        for event in events {
            if let EventKind::TaskScheduled { id, .. } = &event.kind {
                self.called.insert(key(lineage, *id));
            }
        }
    }

    /// What was called has an end at most once, and what has an end was called; an activity has been run.
    fn check(&mut self, instance: &InstanceId, rows: &BTreeMap<u64, String>) {
        let Ok(events) = decode(rows) else {
            return;
        };
        let Some(lineage) = lineage(&events) else {
            self.violation(format!("the history of {instance} has no beginning"));
            return;
        };
        let (mut open, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for event in &events {
            let name = event.kind.name();
            match call(&event.kind) {
                Some((id, Edge::Begin)) if !open.insert(id) => {
                    self.violation(format!("{name}: call {id} of {instance} is there twice"));
                }
                Some((id, Edge::End)) if !open.contains(&id) || !ended.insert(id) => {
                    self.violation(format!(
                        "{name}: call {id} of {instance} ends twice, or was not made"
                    ));
                }
                _ => {}
            }
            if let EventKind::TaskCompleted { id, .. } = &event.kind
                && !self.ran.contains_key(&key(lineage, *id))
            {
                self.violation(format!(
                    "activity {id} of {instance} never ran and has a result"
                ));
            }
        }
    }
}

/// Whether `later` is an execution as which `earlier` has continued, after at least one more.
fn continues(earlier: ExecutionId, later: ExecutionId) -> bool {
    const GENERATIONS: usize = 64;
    let successor = |id: &ExecutionId| Some(id.successor());
    let later_ones = std::iter::successors(Some(earlier.successor()), successor);
    later_ones.take(GENERATIONS).any(|id| id == later)
}

/// What a history says of its instance.
#[derive(Debug)]
struct Told {
    status: RuntimeStatus,
    execution: Option<ExecutionId>,
    /// Calls of activities that have not ended.
    activities: BTreeSet<TaskId>,
}

impl Told {
    fn by(events: &[HistoryEvent]) -> Self {
        let mut told = Self {
            status: RuntimeStatus::Pending,
            execution: None,
            activities: BTreeSet::new(),
        };
        for event in events {
            told.take(&event.kind);
        }
        told
    }

    fn take(&mut self, event: &EventKind) {
        match event {
            EventKind::ExecutionStarted(started) => self.execution = Some(started.execution),
            EventKind::ExecutionRewound { execution, .. } => {
                self.execution = Some(*execution);
                self.status = RuntimeStatus::Running;
            }
            EventKind::OrchestratorStarted | EventKind::ExecutionResumed { .. } => {
                self.status = RuntimeStatus::Running;
            }
            EventKind::ExecutionSuspended { .. } => self.status = RuntimeStatus::Suspended,
            EventKind::ExecutionTerminated { .. } => self.status = RuntimeStatus::Terminated,
            EventKind::ExecutionCompleted { .. } => self.status = RuntimeStatus::Completed,
            EventKind::ExecutionFailed { .. } => self.status = RuntimeStatus::Failed,
            EventKind::TaskScheduled { id, .. } => drop(self.activities.insert(*id)),
            EventKind::TaskCompleted { id, .. } | EventKind::TaskFailed { id, .. } => {
                self.activities.remove(id);
            }
            _ => {}
        }
    }
}

/// What an event is for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

fn call(event: &EventKind) -> Option<(TaskId, Edge)> {
    Some(match event {
        EventKind::TaskScheduled { id, .. }
        | EventKind::SubOrchestrationCreated { id, .. }
        | EventKind::EntityCalled { id, .. }
        | EventKind::TimerCreated { id, .. } => (*id, Edge::Begin),
        EventKind::TaskCompleted { id, .. }
        | EventKind::TaskFailed { id, .. }
        | EventKind::SubOrchestrationCompleted { id, .. }
        | EventKind::SubOrchestrationFailed { id, .. }
        | EventKind::EntityCompleted { id, .. }
        | EventKind::EntityFailed { id, .. }
        | EventKind::TimerFired { id } => (*id, Edge::End),
        _ => return None,
    })
}

fn decode(rows: &BTreeMap<u64, String>) -> Result<Vec<HistoryEvent>, String> {
    let rows: Vec<_> = rows
        .iter()
        .map(|(sequence, events)| HistoryRow {
            sequence: *sequence,
            events: events.clone(),
        })
        .collect();
    engine::decode_history(&rows)
}

fn lineage(events: &[HistoryEvent]) -> Option<ExecutionId> {
    match &events.first()?.kind {
        EventKind::ExecutionStarted(started) => Some(started.execution),
        _ => None,
    }
}

/// As [`ActivityContext::idempotency_key`].
fn key(lineage: ExecutionId, task: TaskId) -> String {
    format!("{lineage}-{task}")
}
