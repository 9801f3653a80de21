//! The hub's operations.

use std::collections::HashSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{MemoryWatch, SharedHub};
use crate::model::{
    Delta, Due, EntityRecord, Envelope, Epoch, InboxMessage, InstanceId, MessageId, MessageOrigin,
    PartitionId, Payload, QueueName, Rejection, Reply, RequestId, StoredInstance, WorkerId,
};
use crate::storage::{
    EntityPageRequest, HubStorage, InstancePageRequest, InstanceSummary, Lease, QueueMessage,
    Schedule, ScheduleClaim, ScheduleTurn, Settlement, StorageError, TakeMessages, TakenMessages,
    Watch,
};

/// A hub that was opened. When this is dropped, its workers are known to be gone.
#[derive(Debug)]
pub(super) struct MemoryHub {
    shared: Arc<SharedHub>,
    workers: Mutex<HashSet<WorkerId>>,
}

impl MemoryHub {
    pub(super) fn new(shared: Arc<SharedHub>) -> Self {
        Self {
            shared,
            workers: Mutex::default(),
        }
    }
}

impl Drop for MemoryHub {
    fn drop(&mut self) {
        let workers = self
            .workers
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for worker in workers.drain() {
            self.shared.change(|state| state.abandon(&worker));
        }
    }
}

impl HubStorage for MemoryHub {
    fn partition_count(&self) -> u32 {
        self.shared.partition_count
    }

    fn acquire(
        &self,
        worker: &WorkerId,
        duration: Duration,
        at_most: usize,
    ) -> Result<Vec<Lease>, StorageError> {
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(worker.clone());
        Ok(self
            .shared
            .change(|state| state.acquire(worker, duration, at_most)))
    }

    fn renew(
        &self,
        worker: &WorkerId,
        duration: Duration,
    ) -> Result<Vec<(PartitionId, Epoch)>, StorageError> {
        // Nobody waits for a lease to be prolonged, so the version stays.
        Ok(self.shared.state().renew(worker, duration))
    }

    fn release(&self, worker: &WorkerId) -> Result<(), StorageError> {
        self.shared.change(|state| state.release(worker));
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(worker);
        Ok(())
    }

    fn is_owned(&self, partition: PartitionId) -> Result<bool, StorageError> {
        Ok(self.shared.state().is_owned(partition))
    }

    fn due_instances(
        &self,
        partition: PartitionId,
    ) -> Result<Vec<(InstanceId, Due)>, StorageError> {
        let state = self.shared.state();
        Ok(state
            .by_due
            .range((partition, Due::Now, InstanceId::trusted(""))..)
            .take_while(|(of, ..)| *of == partition)
            .map(|(_, due, id)| (id.clone(), *due))
            .collect())
    }

    fn load(&self, ids: &[InstanceId]) -> Result<Vec<Option<StoredInstance>>, StorageError> {
        let state = self.shared.state();
        Ok(ids
            .iter()
            .map(|id| state.instances.get(id).cloned())
            .collect())
    }

    fn commit(&self, deltas: &[Delta]) -> Result<(), StorageError> {
        self.shared.change(|state| {
            state.check_epochs(deltas)?;
            for delta in deltas {
                state.apply(delta);
            }
            Ok(())
        })
    }

    fn enqueue(&self, envelopes: &[Envelope]) -> Result<(), StorageError> {
        let count = self.shared.partition_count;
        if self.shared.change(|state| state.enqueue(envelopes, count)) {
            Ok(())
        } else {
            Err(deleted())
        }
    }

    fn inbox(&self, partitions: &[PartitionId]) -> Result<Vec<InboxMessage>, StorageError> {
        let state = self.shared.state();
        let first = MessageId {
            origin: MessageOrigin::Client,
            number: 0,
        };
        Ok(partitions
            .iter()
            .flat_map(|&partition| {
                state
                    .inbox
                    .range((partition, first)..)
                    .take_while(move |((of, _), _)| *of == partition)
            })
            .map(|(&(partition, id), envelope)| InboxMessage {
                partition,
                id,
                envelope: envelope.clone(),
            })
            .collect())
    }

    fn take_reply(
        &self,
        request: RequestId,
    ) -> Result<Option<Result<Reply, Rejection>>, StorageError> {
        let mut state = self.shared.state();
        let taken = state.replies.remove(&request.0.as_u128());
        Ok(taken.map(|stored| stored.reply))
    }

    fn watch(&self) -> Result<Box<dyn Watch>, StorageError> {
        Ok(Box::new(MemoryWatch {
            seen: self.shared.state().version,
            hub: Arc::clone(&self.shared),
        }))
    }

    fn summary(
        &self,
        id: &InstanceId,
        with_input: bool,
    ) -> Result<Option<InstanceSummary>, StorageError> {
        let state = self.shared.state();
        Ok(state
            .instances
            .get(id)
            .map(|stored| summary_of(stored, with_input)))
    }

    fn list(&self, request: &InstancePageRequest) -> Result<Vec<InstanceSummary>, StorageError> {
        let state = self.shared.state();
        let after = match &request.after {
            Some(key) => Excluded((key.created, key.id.clone())),
            None => Unbounded,
        };
        Ok(state
            .by_creation
            .range((after, Unbounded))
            .filter_map(|(_, id)| state.instances.get(id))
            .filter(|stored| request.filter.matches(&stored.record))
            .take(request.size)
            .map(|stored| summary_of(stored, request.with_input))
            .collect())
    }

    fn entities(&self, ids: &[InstanceId]) -> Result<Vec<Option<EntityRecord>>, StorageError> {
        let state = self.shared.state();
        Ok(ids
            .iter()
            .map(|id| state.entities.get(id).cloned())
            .collect())
    }

    fn list_entities(
        &self,
        request: &EntityPageRequest,
    ) -> Result<Vec<EntityRecord>, StorageError> {
        let state = self.shared.state();
        let after = match &request.after {
            Some(id) => Excluded(id.clone()),
            None => Unbounded,
        };
        Ok(state
            .entities
            .range((after, Unbounded))
            .map(|(_, record)| record)
            .filter(|record| request.filter.matches(record))
            .take(request.size)
            .map(|record| EntityRecord {
                queue: Vec::new(),
                ..record.clone()
            })
            .collect())
    }

    fn children(&self, parent: &InstanceId) -> Result<Vec<InstanceId>, StorageError> {
        let state = self.shared.state();
        Ok(state
            .by_parent
            .range((parent.clone(), InstanceId::trusted(""))..)
            .take_while(|(of, _)| of == parent)
            .map(|(_, child)| child.clone())
            .collect())
    }

    fn push_messages(&self, queue: &QueueName, messages: &[Payload]) -> Result<(), StorageError> {
        self.shared.change(|state| {
            if !state.is_there() {
                return Err(deleted());
            }
            state.triggers.push(queue, messages);
            Ok(())
        })
    }

    fn take_messages(&self, request: &TakeMessages<'_>) -> Result<TakenMessages, StorageError> {
        // Nobody waits for a message to be taken, so the version stays.
        Ok(self.shared.state().triggers.take(request))
    }

    fn settle_messages(
        &self,
        worker: &WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<bool>, StorageError> {
        Ok(self.shared.change(|state| {
            settlements
                .iter()
                .map(|settlement| state.triggers.settle(worker, settlement))
                .collect()
        }))
    }

    fn queue_length(&self, queue: &QueueName) -> Result<u64, StorageError> {
        let length = self.shared.state().triggers.queue(queue).count();
        Ok(u64::try_from(length).unwrap_or(u64::MAX))
    }

    fn peek_messages(
        &self,
        queue: &QueueName,
        at_most: usize,
    ) -> Result<Vec<QueueMessage>, StorageError> {
        let state = self.shared.state();
        Ok(state.triggers.queue(queue).take(at_most).cloned().collect())
    }

    fn move_messages(&self, from: &QueueName, to: &QueueName) -> Result<u64, StorageError> {
        Ok(self
            .shared
            .change(|state| state.triggers.move_all(from, to)))
    }

    fn open_schedule(
        &self,
        name: &str,
        cron: &str,
        now: DateTime<Utc>,
    ) -> Result<Schedule, StorageError> {
        let mut state = self.shared.state();
        if !state.is_there() {
            return Err(deleted());
        }
        Ok(state.triggers.open_schedule(name, cron, now))
    }

    fn take_schedule(
        &self,
        claim: &ScheduleClaim<'_>,
        lease: Duration,
    ) -> Result<ScheduleTurn, StorageError> {
        Ok(self.shared.state().triggers.take_schedule(claim, lease))
    }

    fn settle_schedule(&self, claim: &ScheduleClaim<'_>, done: bool) -> Result<bool, StorageError> {
        Ok(self
            .shared
            .change(|state| state.triggers.settle_schedule(claim, done)))
    }

    fn renew_triggers(&self, worker: &WorkerId, lease: Duration) -> Result<(), StorageError> {
        self.shared.state().triggers.renew(worker, lease);
        Ok(())
    }

    fn setting(&self, name: &str, default: &str) -> Result<String, StorageError> {
        let setting = self.shared.change(|state| state.setting(name, default));
        setting.ok_or_else(deleted)
    }
}

fn deleted() -> StorageError {
    StorageError::Unavailable {
        message: "the task hub has been deleted: open it again".into(),
    }
}

fn summary_of(stored: &StoredInstance, with_input: bool) -> InstanceSummary {
    InstanceSummary {
        record: stored.record.clone(),
        first_row: with_input
            .then(|| stored.history.first().cloned())
            .flatten(),
    }
}
