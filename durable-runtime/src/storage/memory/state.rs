//! What a hub holds, and how it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};

use super::triggers::Triggers;
use crate::clock::{self, Clock};
use crate::model::{
    Delta, Due, EntityRecord, Envelope, Epoch, HistoryRow, InstanceDelta, InstanceId,
    InstanceRecord, MessageId, MessageOrigin, OutgoingMessage, PartitionId, Rejection, Reply,
    RequestId, StoredInstance, WorkerId,
};
use crate::storage::{Lease, StorageError, is_entity};

/// A reply that nobody took for as long as this is dropped: whoever asked is gone.
const REPLY_LIFETIME: Duration = Duration::from_secs(3600);

/// A hub's content.
#[derive(Debug)]
pub(super) struct HubState {
    /// Grows with every change.
    pub(super) version: u64,
    pub(super) instances: BTreeMap<InstanceId, StoredInstance>,
    pub(super) entities: BTreeMap<InstanceId, EntityRecord>,
    pub(super) by_creation: BTreeSet<(DateTime<Utc>, InstanceId)>,
    /// Instances and entities.
    pub(super) by_due: BTreeSet<(PartitionId, Due, InstanceId)>,
    pub(super) by_parent: BTreeSet<(InstanceId, InstanceId)>,
    pub(super) inbox: BTreeMap<(PartitionId, MessageId), Envelope>,
    pub(super) replies: BTreeMap<u128, StoredReply>,
    pub(super) triggers: Triggers,
    settings: BTreeMap<String, String>,
    partitions: Vec<PartitionState>,
}

/// A reply that waits to be taken.
#[derive(Debug)]
pub(super) struct StoredReply {
    pub(super) reply: Result<Reply, Rejection>,
    given: Instant,
}

/// What is kept of a partition apart from what is in it.
#[derive(Debug, Default)]
struct PartitionState {
    owner: Option<Owner>,
    epoch: u64,
    /// Whether the last owner lost it.
    taken_over: bool,
    /// The highest number of a message that it has sent.
    sent: Option<u64>,
    /// The number of messages that clients have enqueued for it.
    enqueued: u64,
}

#[derive(Debug)]
struct Owner {
    worker: WorkerId,
    /// `None` is never.
    expires: Option<Instant>,
}

impl Owner {
    fn holds(&self, now: Instant) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }
}

impl HubState {
    pub(super) fn new(partition_count: u32, clock: Clock) -> Self {
        Self {
            version: 0,
            instances: BTreeMap::new(),
            entities: BTreeMap::new(),
            by_creation: BTreeSet::new(),
            by_due: BTreeSet::new(),
            by_parent: BTreeSet::new(),
            inbox: BTreeMap::new(),
            replies: BTreeMap::new(),
            triggers: Triggers::new(clock),
            settings: BTreeMap::new(),
            partitions: (0..partition_count)
                .map(|_| PartitionState::default())
                .collect(),
        }
    }

    /// The hub has been deleted. Without partitions, nothing can be acquired, committed or enqueued
    /// by those who still have it open.
    pub(super) fn clear(&mut self) {
        let version = self.version;
        *self = Self::new(0, self.triggers.clock);
        self.version = version;
    }

    /// Whether the hub has not been deleted.
    pub(super) fn is_there(&self) -> bool {
        !self.partitions.is_empty()
    }

    pub(super) fn acquire(
        &mut self,
        worker: &WorkerId,
        duration: Duration,
        at_most: usize,
    ) -> Vec<Lease> {
        let now = clock::instant();
        (0..)
            .map(PartitionId)
            .zip(&mut self.partitions)
            .filter(|(_, state)| !state.owner.as_ref().is_some_and(|owner| owner.holds(now)))
            .take(at_most)
            .map(|(partition, state)| {
                state.epoch += 1;
                state.owner = Some(Owner {
                    worker: worker.clone(),
                    expires: now.checked_add(duration),
                });
                Lease {
                    partition,
                    epoch: Epoch(state.epoch),
                    clean: !std::mem::replace(&mut state.taken_over, true),
                }
            })
            .collect()
    }

    pub(super) fn renew(
        &mut self,
        worker: &WorkerId,
        duration: Duration,
    ) -> Vec<(PartitionId, Epoch)> {
        let expires = clock::instant().checked_add(duration);
        (0..)
            .map(PartitionId)
            .zip(&mut self.partitions)
            .filter_map(|(partition, state)| {
                let owner = state.owner.as_mut()?;
                (owner.worker == *worker).then(|| {
                    owner.expires = expires;
                    (partition, Epoch(state.epoch))
                })
            })
            .collect()
    }

    pub(super) fn release(&mut self, worker: &WorkerId) {
        for state in &mut self.partitions {
            if state.owner.as_ref().is_some_and(|o| o.worker == *worker) {
                state.owner = None;
                state.taken_over = false;
            }
        }
    }

    /// The worker is gone without having released anything.
    pub(super) fn abandon(&mut self, worker: &WorkerId) {
        self.triggers.abandon(worker);
        for state in &mut self.partitions {
            if state.owner.as_ref().is_some_and(|o| o.worker == *worker) {
                state.owner = None;
            }
        }
    }

    pub(super) fn is_owned(&self, partition: PartitionId) -> bool {
        self.partition(partition)
            .and_then(|state| state.owner.as_ref())
            .is_some_and(|owner| owner.holds(clock::instant()))
    }

    /// Refuses deltas as a whole unless all their epochs are the current ones.
    pub(super) fn check_epochs(&self, deltas: &[Delta]) -> Result<(), StorageError> {
        let stale: BTreeSet<_> = deltas
            .iter()
            .filter(|delta| {
                self.partition(delta.partition)
                    .is_none_or(|state| Epoch(state.epoch) != delta.epoch)
            })
            .map(|delta| delta.partition)
            .collect();
        if stale.is_empty() {
            Ok(())
        } else {
            Err(StorageError::Fenced {
                partitions: stale.into_iter().collect(),
            })
        }
    }

    pub(super) fn apply(&mut self, delta: &Delta) {
        for &id in &delta.consumed {
            self.inbox.remove(&(delta.partition, id));
        }
        for change in &delta.instances {
            match change {
                InstanceDelta::Upsert {
                    record,
                    reset_history,
                    append,
                } => self.upsert(delta.partition, record, *reset_history, append),
                InstanceDelta::Append {
                    id,
                    updated,
                    append,
                } => self.append(id, *updated, append),
                InstanceDelta::Entity { record } => {
                    self.upsert_entity(delta.partition, record);
                }
                InstanceDelta::Delete { id } if is_entity(id) => {
                    self.remove_entity(delta.partition, id);
                }
                InstanceDelta::Delete { id } => {
                    self.remove(delta.partition, id);
                }
            }
        }
        self.send(delta.partition, &delta.outgoing);
        if !delta.replies.is_empty() {
            self.reply(&delta.replies);
        }
    }

    fn upsert(
        &mut self,
        partition: PartitionId,
        record: &InstanceRecord,
        reset_history: bool,
        append: &[HistoryRow],
    ) {
        let mut history = self
            .remove(partition, &record.id)
            .map(|stored| stored.history)
            .unwrap_or_default();
        if reset_history {
            history.clear();
        }
        add_rows(&mut history, append);
        let record = to_microseconds(record.clone());
        let id = record.id.clone();
        self.by_creation.insert((record.created, id.clone()));
        if let Some(due) = record.due {
            self.by_due.insert((partition, due, id.clone()));
        }
        if let Some(parent) = &record.parent {
            self.by_parent.insert((parent.clone(), id.clone()));
        }
        self.instances
            .insert(id, StoredInstance { record, history });
    }

    fn append(&mut self, id: &InstanceId, updated: DateTime<Utc>, rows: &[HistoryRow]) {
        if let Some(stored) = self.instances.get_mut(id) {
            stored.record.updated = updated.trunc_subsecs(6);
            add_rows(&mut stored.history, rows);
        }
    }

    fn remove(&mut self, partition: PartitionId, id: &InstanceId) -> Option<StoredInstance> {
        let stored = self.instances.remove(id)?;
        let record = &stored.record;
        self.by_creation.remove(&(record.created, id.clone()));
        if let Some(due) = record.due {
            self.by_due.remove(&(partition, due, id.clone()));
        }
        if let Some(parent) = &record.parent {
            self.by_parent.remove(&(parent.clone(), id.clone()));
        }
        Some(stored)
    }

    fn upsert_entity(&mut self, partition: PartitionId, record: &EntityRecord) {
        self.remove_entity(partition, &record.id);
        let record = entity_to_microseconds(record.clone());
        if let Some(due) = record.due {
            self.by_due.insert((partition, due, record.id.clone()));
        }
        self.entities.insert(record.id.clone(), record);
    }

    fn remove_entity(&mut self, partition: PartitionId, id: &InstanceId) {
        if let Some(record) = self.entities.remove(id)
            && let Some(due) = record.due
        {
            self.by_due.remove(&(partition, due, record.id));
        }
    }

    fn send(&mut self, from: PartitionId, messages: &[OutgoingMessage]) {
        let sent_before = self.partition(from).and_then(|state| state.sent);
        let mut sent = sent_before;
        for message in messages {
            let own = message.id.origin == MessageOrigin::Partition(from);
            if own && sent_before.is_some_and(|sent| message.id.number <= sent) {
                continue;
            }
            if own {
                sent = sent.max(Some(message.id.number));
            }
            self.inbox
                .entry((message.to, message.id))
                .or_insert_with(|| message.envelope.clone());
        }
        if let Some(state) = self.partition_mut(from) {
            state.sent = sent;
        }
    }

    fn reply(&mut self, replies: &[(RequestId, Result<Reply, Rejection>)]) {
        let now = clock::instant();
        self.replies
            .retain(|_, stored| now.duration_since(stored.given) < REPLY_LIFETIME);
        for (request, reply) in replies {
            let stored = StoredReply {
                reply: reply.clone(),
                given: now,
            };
            self.replies.insert(request.0.as_u128(), stored);
        }
    }

    /// Returns whether it could: not once the hub has been deleted.
    pub(super) fn enqueue(&mut self, envelopes: &[Envelope], partition_count: u32) -> bool {
        if !self.is_there() {
            return false;
        }
        for envelope in envelopes {
            let partition = envelope.to.partition(partition_count);
            let Some(state) = self.partition_mut(partition) else {
                continue;
            };
            state.enqueued += 1;
            let id = MessageId {
                origin: MessageOrigin::Client,
                number: state.enqueued,
            };
            self.inbox.insert((partition, id), envelope.clone());
        }
        true
    }

    /// The setting; `None` if the hub has been deleted.
    pub(super) fn setting(&mut self, name: &str, default: &str) -> Option<String> {
        if self.partitions.is_empty() {
            return None;
        }
        let entry = self.settings.entry(name.to_owned());
        Some(entry.or_insert_with(|| default.to_owned()).clone())
    }

    fn partition(&self, partition: PartitionId) -> Option<&PartitionState> {
        self.partitions.get(usize::try_from(partition.0).ok()?)
    }

    fn partition_mut(&mut self, partition: PartitionId) -> Option<&mut PartitionState> {
        self.partitions.get_mut(usize::try_from(partition.0).ok()?)
    }
}

fn add_rows(history: &mut Vec<HistoryRow>, rows: &[HistoryRow]) {
    for row in rows {
        // A row comes twice when a commit is repeated.
        match history.binary_search_by_key(&row.sequence, |known| known.sequence) {
            Ok(at) => history[at] = row.clone(),
            Err(at) => history.insert(at, row.clone()),
        }
    }
}

/// Times are kept to the microsecond, as everywhere in storage.
fn to_microseconds(mut record: InstanceRecord) -> InstanceRecord {
    record.created = record.created.trunc_subsecs(6);
    record.updated = record.updated.trunc_subsecs(6);
    record.due = record.due.map(|due| Due::from_micros(due.to_micros()));
    record
}

fn entity_to_microseconds(mut record: EntityRecord) -> EntityRecord {
    record.last_operation = record.last_operation.trunc_subsecs(6);
    record.due = record.due.map(|due| Due::from_micros(due.to_micros()));
    for operation in &mut record.queue {
        operation.at = operation.at.map(|at| at.trunc_subsecs(6));
    }
    record
}
