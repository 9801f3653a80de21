//! Which instances are in memory: loading them, and letting go of them.

use uuid::Uuid;

use super::check::KeptHistory;
use super::instance::{Instance, Live};
use super::{Job, MAX_RECOVERING, Partition, Query};
use crate::context::core::Identity;
use crate::engine::{self, ExecutionState, LiveExecution};
use crate::model::{
    Due, EventKind, ExecutionId, Failure, HistoryEvent, InstanceId, InstanceRecord, Payload,
    RuntimeStatus, StoredInstance, Tags,
};

/// A number that no row of a history has, and that leaves room for more rows.
const BEHIND_ALL_ROWS: u64 = 1 << 40;

/// What the partition knows of an instance.
#[derive(Debug)]
pub(super) enum Slot {
    /// It is being read from storage; these jobs wait for it.
    Loading(Vec<Job>),
    Present(Box<Instance>),
    /// It was deleted by the commit of this number, which may not be durable yet.
    Deleted {
        changed_in: u64,
    },
}

impl Partition {
    pub(super) fn load(&mut self, id: InstanceId, jobs: Vec<Job>) {
        self.queries.push(Query::Instance(id.clone()));
        self.slots.insert(id, Slot::Loading(jobs));
        self.loading += 1;
    }

    /// Loads more of what a new owner has to take up.
    pub(super) fn recover(&mut self) {
        while self.loading < MAX_RECOVERING
            && let Some(id) = self.recovering.pop_front()
        {
            if id.is_entity() {
                self.entity_due(&id);
            } else if !self.slots.contains_key(&id) {
                self.load(id, Vec::new());
            }
        }
    }

    pub(super) fn loaded(
        &mut self,
        id: InstanceId,
        stored: Result<Option<StoredInstance>, String>,
    ) {
        self.loading = self.loading.saturating_sub(1);
        let jobs = match self.slots.remove(&id) {
            Some(Slot::Loading(jobs)) => jobs,
            Some(other) => {
                self.slots.insert(id, other);
                return;
            }
            None => Vec::new(),
        };
        let instance = match stored {
            Ok(Some(stored)) => Some(self.restore(stored)),
            Ok(None) => None,
            Err(problem) => Some(self.unreadable(&id, &problem)),
        };
        match instance {
            Some(instance) => {
                self.slots
                    .insert(id.clone(), Slot::Present(Box::new(instance)));
                self.resume(&id);
            }
            None => {
                // Known not to exist, as far as the jobs at hand are concerned.
                self.slots
                    .insert(id.clone(), Slot::Deleted { changed_in: 0 });
            }
        }
        for job in jobs {
            self.job(id.clone(), job);
        }
        self.let_go(&id);
        self.recover();
    }

    /// An instance whose very row cannot be read: it has failed, and what can still be made out of its
    /// history stays.
    fn unreadable(&mut self, id: &InstanceId, problem: &str) -> Instance {
        let execution = ExecutionId(Uuid::nil());
        let record = InstanceRecord {
            id: id.clone(),
            execution,
            name: "(unreadable)".to_owned(),
            version: None,
            status: RuntimeStatus::Running,
            created: self.now,
            updated: self.now,
            due: None,
            custom_status: None,
            output: None,
            parent: None,
            tags: Tags::new(),
        };
        let mut instance = Instance::new(record, ExecutionState::new(execution, None, None));
        instance.next_row = BEHIND_ALL_ROWS;
        self.fail(&mut instance, corrupt(problem));
        instance
    }

    /// An instance as its row and history say. One that cannot be read has failed.
    fn restore(&mut self, stored: StoredInstance) -> Instance {
        let last = stored.history.last();
        // A damaged row may have any number.
        let next_row = last.map_or(0, |row| row.sequence.saturating_add(1).min(BEHIND_ALL_ROWS));
        let record = stored.record;
        if let Some(Due::At(time)) = record.due {
            self.due.remove(time, &record.id);
        }
        let history = engine::decode_history(&stored.history)
            .and_then(|history| Ok((ExecutionState::from_history(&history)?, history)));
        let mut instance = match history {
            Ok((state, history)) => {
                let mut instance = Instance::new(record, state);
                instance.input = first_input(&history);
                if !instance.state.has_run {
                    instance.undelivered = history.iter().map(|event| event.kind.clone()).collect();
                }
                if self.config.replay_check && !instance.has_ended() {
                    instance.kept = KeptHistory::loaded(history.clone());
                }
                instance.history = Some(history);
                instance
            }
            Err(problem) => {
                // Its beginning may still tell who waits for it.
                let first = stored.history.get(..1).unwrap_or_default();
                let state = engine::decode_history(first)
                    .and_then(|first| ExecutionState::from_history(&first))
                    .unwrap_or_else(|_| ExecutionState::new(record.execution, None, None));
                let mut instance = Instance::new(record, state);
                if !instance.has_ended() {
                    self.fail(&mut instance, corrupt(&problem));
                }
                instance
            }
        };
        instance.next_row = next_row;
        instance
    }

    /// Takes a loaded instance up where it was left.
    fn resume(&mut self, id: &InstanceId) {
        let Some(mut instance) = self.take(id) else {
            return;
        };
        if !instance.has_ended() && instance.state.has_run {
            self.replay(&mut instance);
        }
        self.dispatch_open(&mut instance);
        let news = !instance.arrived.is_empty();
        let left = !instance.undelivered.is_empty() && instance.live.is_some();
        if news || left && instance.may_run(self.now) {
            self.make_runnable(&mut instance);
        }
        self.touch(&mut instance);
        self.slots.insert(id.clone(), Slot::Present(instance));
        self.wake(id);
    }

    /// Brings the code of a loaded instance back to where it was. Without the code the instance is
    /// left alone; one whose code does something else has failed.
    pub(super) fn replay(&mut self, instance: &mut Instance) {
        let Some(mut live) = self.begin(instance) else {
            // Storage says whether there is something for it to do.
            if instance.record.due == Some(Due::Now) && instance.state.activities.is_empty() {
                self.make_runnable(instance);
            }
            return;
        };
        let history = instance.history.take().unwrap_or_default();
        match engine::replay(&mut live, &history) {
            Ok(replayed) => {
                for id in replayed.cancelled_timers {
                    instance.state.timers.remove(id);
                }
                instance.undelivered = replayed.undelivered;
                instance.input = None;
                instance.live = Some(Live::new(live));
                self.live += 1;
                if let Some(completion) = replayed.completion {
                    self.complete(instance, completion);
                    self.make_runnable(instance);
                }
            }
            Err(found) => {
                self.fail(instance, found.failure());
                self.make_runnable(instance);
            }
        }
    }

    /// The code of an instance, at its beginning; `None` if this worker does not have it.
    pub(super) fn begin(&self, instance: &Instance) -> Option<LiveExecution> {
        self.begin_with(instance, instance.input.clone()?)
    }

    /// As [`begin`](Self::begin), for an instance that has begun already.
    pub(super) fn begin_with(&self, instance: &Instance, input: Payload) -> Option<LiveExecution> {
        let record = &instance.record;
        let registry = &self.config.registry;
        let function = registry.orchestrator(&record.name, record.version.as_deref());
        let identity = Identity {
            instance: record.id.clone(),
            execution: instance.state.lineage,
            name: record.name.clone(),
            version: record.version.clone(),
            parent: record.parent.clone(),
            max_payload_bytes: self.config.max_payload_bytes,
        };
        Some(LiveExecution::begin(
            function.ok()?,
            identity,
            input,
            instance.not_before,
        ))
    }

    /// Takes an instance out of its slot, to be put back. What else is in a slot stays there: jobs
    /// wait in it, or it keeps a deleted instance from being read again.
    pub(super) fn take(&mut self, id: &InstanceId) -> Option<Box<Instance>> {
        if !matches!(self.slots.get(id), Some(Slot::Present(_))) {
            return None;
        }
        match self.slots.remove(id) {
            Some(Slot::Present(instance)) => Some(instance),
            _ => None,
        }
    }

    /// Notes that the instance is in use.
    pub(super) fn touch(&mut self, instance: &mut Instance) {
        self.stamp += 1;
        instance.stamp = self.stamp;
        instance.last_used = self.now;
        self.used
            .push_back((instance.record.id.clone(), self.stamp));
    }

    /// Lets go of the instances that have not been used for long, and of those above the limit.
    pub(super) fn evict_idle(&mut self) {
        let idle =
            chrono::Duration::from_std(self.config.idle_timeout).unwrap_or(chrono::Duration::MAX);
        // One that is busy gets another turn, but only one in each call.
        for _ in 0..self.used.len() {
            let Some((id, stamp)) = self.used.front() else {
                return;
            };
            let at_rest = match self.slots.get(id) {
                Some(Slot::Present(instance)) if instance.stamp == *stamp => {
                    let over = self.live > self.config.max_cached_instances;
                    if !over && self.now - instance.last_used < idle {
                        break;
                    }
                    let waits = self.waiting_for_children.contains_key(id);
                    Some(instance.is_at_rest(self.committed) && !waits)
                }
                _ => None,
            };
            if let Some(entry) = self.used.pop_front() {
                match at_rest {
                    Some(true) => self.forget(&entry.0),
                    Some(false) => self.used.push_back(entry),
                    None => {}
                }
            }
        }
        self.drop_old_uses();
        self.shrink();
    }

    /// Gives memory back that was needed for many more instances than there are now.
    fn shrink(&mut self) {
        if self.slots.capacity() > 4 * self.slots.len() + 64 {
            self.slots.shrink_to(2 * self.slots.len());
            self.used.shrink_to(2 * self.used.len());
            self.changed.shrink_to(2 * self.changed.len());
            self.runnable.shrink_to(2 * self.runnable.len());
            self.running.shrink_to(2 * self.running.len());
        }
    }

    /// Each use leaves an entry, of which only the last one of an instance counts.
    fn drop_old_uses(&mut self) {
        if self.used.len() > 2 * self.slots.len() + 1024 {
            let slots = &self.slots;
            self.used.retain(|(id, stamp)| {
                matches!(slots.get(id), Some(Slot::Present(instance)) if instance.stamp == *stamp)
            });
        }
    }

    /// Lets go of all instances whose code is live, so that another thread can go on. The partition is at rest,
    /// so these are too.
    pub(crate) fn evict_live(&mut self) -> Vec<Live> {
        let mut evicted = Vec::new();
        self.slots.retain(|_, slot| {
            let Slot::Present(instance) = slot else {
                return true;
            };
            let Some(live) = instance.live.take() else {
                return true;
            };
            evicted.push(live);
            false
        });
        self.live = 0;
        evicted
    }

    /// Whether nothing would be lost by [letting go](Self::evict_live) of those.
    #[cfg(feature = "simulation")]
    pub(crate) fn are_live_at_rest(&self) -> bool {
        self.slots.values().all(|slot| match slot {
            Slot::Present(instance) => {
                instance.live.is_none() || instance.is_at_rest(self.committed)
            }
            Slot::Loading(_) | Slot::Deleted { .. } => true,
        })
    }

    fn forget(&mut self, id: &InstanceId) {
        if let Some(Slot::Present(instance)) = self.slots.remove(id)
            && instance.live.is_some()
        {
            self.live -= 1;
        }
    }

    /// Drops what need not stay in memory: ended and missing instances.
    pub(super) fn let_go(&mut self, id: &InstanceId) {
        if self.waiting_for_children.contains_key(id) {
            return;
        }
        let drop = match self.slots.get(id) {
            Some(Slot::Deleted { changed_in }) => *changed_in <= self.committed,
            Some(Slot::Present(instance)) => {
                instance.has_ended()
                    && instance.is_at_rest(self.committed)
                    && instance.state.activities.is_empty()
            }
            Some(Slot::Loading(_)) | None => false,
        };
        if drop {
            self.forget(id);
        }
    }

    pub(super) fn commit_acknowledged(&mut self, sequence: u64) {
        self.committed = self.committed.max(sequence);
        while let Some((changed_in, _)) = self.changed.front()
            && *changed_in <= self.committed
        {
            let Some((changed_in, id)) = self.changed.pop_front() else {
                return;
            };
            self.reload_for_jobs(&id, changed_in);
            self.let_go(&id);
        }
    }

    /// Jobs that need the history of an instance have waited until it is in storage.
    pub(super) fn reload_for_jobs(&mut self, id: &InstanceId, changed_in: u64) {
        let Some(Slot::Present(instance)) = self.slots.get_mut(id) else {
            return;
        };
        if instance.changed_in == changed_in && !instance.after_commit.is_empty() {
            let jobs = std::mem::take(&mut instance.after_commit);
            if instance.is_at_rest(self.committed) {
                self.forget(id);
                self.load(id.clone(), jobs);
            } else {
                instance.after_commit = jobs;
            }
        }
    }
}

pub(super) fn corrupt(problem: &str) -> Failure {
    Failure::new(
        Failure::CORRUPT,
        format!("what is stored of the instance cannot be read: {problem}"),
    )
}

pub(super) fn first_input(history: &[HistoryEvent]) -> Option<Payload> {
    match history.first().map(|event| &event.kind) {
        Some(EventKind::ExecutionStarted(started)) => Some(started.input.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::model::{Command, PartitionId, StartOrchestration};
    use crate::partition::{Input, PartitionConfig, Responder};

    fn queries_of_a_start(has_new_id: bool) -> usize {
        let config = PartitionConfig::small(PartitionId(0));
        let mut partition = Partition::new(config, DateTime::default(), Vec::new(), Vec::new());
        let start = StartOrchestration {
            has_new_id,
            ..StartOrchestration::plain("any")
        };
        partition.handle(Input::Request {
            to: InstanceId::from_uuid(Uuid::nil()),
            command: Command::Start(Box::new(start)),
            responder: Responder(Box::new(|_| ())),
        });
        partition.take_queries().len()
    }

    #[test]
    fn an_id_that_was_just_made_is_not_looked_for() {
        assert_eq!(queries_of_a_start(false), 1);
        assert_eq!(queries_of_a_start(true), 0);
    }
}
