//! One hub of a database.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::database::Database;
use super::error::{Fault, Place};
use super::lock::Presence;
use super::watch::{FileWatch, MemoryWatch};
use super::{commit, connection};
use crate::model::{
    Delta, Due, EntityRecord, Envelope, Epoch, InboxMessage, InstanceId, MessageId, PartitionId,
    Payload, QueueName, Rejection, Reply, RequestId, StoredInstance, TaskHubName, WorkerId,
};
use crate::storage::{
    EntityPageRequest, HubStorage, InstancePageRequest, InstanceSummary, Lease, QueueMessage,
    Schedule, ScheduleClaim, ScheduleTurn, Settlement, StorageError, TakeMessages, TakenMessages,
    Watch,
};

/// A hub that was opened. The methods of [`HubStorage`] stand with their subjects.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) database: Arc<Database>,
    /// In the table `hubs`.
    pub(super) key: i64,
    pub(super) partition_count: u32,
    pub(super) presence: Mutex<Presence>,
    /// Messages that cannot be read and have been reported.
    pub(super) unreadable: Mutex<HashSet<(PartitionId, MessageId)>>,
}

impl Hub {
    pub(super) fn new(
        database: Arc<Database>,
        key: i64,
        name: &TaskHubName,
        partition_count: u32,
    ) -> Self {
        let presence = Presence::new(database.place().path(), name);
        Self {
            database,
            key,
            partition_count,
            presence: Mutex::new(presence),
            unreadable: Mutex::default(),
        }
    }
}

impl HubStorage for Hub {
    fn partition_count(&self) -> u32 {
        self.partition_count
    }

    fn acquire(
        &self,
        worker: &WorkerId,
        duration: Duration,
        at_most: usize,
    ) -> Result<Vec<Lease>, StorageError> {
        self.acquire_leases(worker, duration, at_most)
    }

    fn renew(
        &self,
        worker: &WorkerId,
        duration: Duration,
    ) -> Result<Vec<(PartitionId, Epoch)>, StorageError> {
        self.renew_leases(worker, duration)
    }

    fn release(&self, worker: &WorkerId) -> Result<(), StorageError> {
        self.release_leases(worker)
    }

    fn is_owned(&self, partition: PartitionId) -> Result<bool, StorageError> {
        self.has_owner(partition)
    }

    fn due_instances(
        &self,
        partition: PartitionId,
    ) -> Result<Vec<(InstanceId, Due)>, StorageError> {
        self.read_due(partition)
    }

    fn load(&self, ids: &[InstanceId]) -> Result<Vec<Option<StoredInstance>>, StorageError> {
        self.read_instances(ids)
    }

    fn commit(&self, deltas: &[Delta]) -> Result<(), StorageError> {
        self.database.write(|transaction, keys| {
            commit::commit(transaction, self.key, keys.of(self.key), deltas)
        })
    }

    fn enqueue(&self, envelopes: &[Envelope]) -> Result<(), StorageError> {
        self.insert_into_inboxes(envelopes)
    }

    fn inbox(&self, partitions: &[PartitionId]) -> Result<Vec<InboxMessage>, StorageError> {
        self.read_inboxes(partitions)
    }

    fn inbox_length(&self, partition: PartitionId, at_most: usize) -> Result<usize, StorageError> {
        self.count_inbox(partition, at_most)
    }

    fn take_reply(
        &self,
        request: RequestId,
    ) -> Result<Option<Result<Reply, Rejection>>, StorageError> {
        self.remove_reply(request)
    }

    fn watch(&self) -> Result<Box<dyn Watch>, StorageError> {
        match self.database.place() {
            Place::Memory => Ok(Box::new(MemoryWatch::new(self.database.changes()))),
            place @ Place::File(_) => connection::open_reader(place)
                .and_then(|connection| FileWatch::new(connection).map_err(Fault::from))
                .map(|watch| Box::new(watch) as Box<dyn Watch>)
                .map_err(|fault| self.database.report(fault)),
        }
    }

    fn summary(
        &self,
        id: &InstanceId,
        with_input: bool,
    ) -> Result<Option<InstanceSummary>, StorageError> {
        self.read_summary(id, with_input)
    }

    fn list(&self, request: &InstancePageRequest) -> Result<Vec<InstanceSummary>, StorageError> {
        self.read_page(request)
    }

    fn entities(&self, ids: &[InstanceId]) -> Result<Vec<Option<EntityRecord>>, StorageError> {
        self.read_entities(ids)
    }

    fn list_entities(
        &self,
        request: &EntityPageRequest,
    ) -> Result<Vec<EntityRecord>, StorageError> {
        self.read_entity_page(request)
    }

    fn children(&self, parent: &InstanceId) -> Result<Vec<InstanceId>, StorageError> {
        self.read_children(parent)
    }

    fn push_messages(&self, queue: &QueueName, messages: &[Payload]) -> Result<(), StorageError> {
        self.insert_messages(queue, messages)
    }

    fn take_messages(&self, request: &TakeMessages<'_>) -> Result<TakenMessages, StorageError> {
        self.take_from_queue(request)
    }

    fn settle_messages(
        &self,
        worker: &WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<bool>, StorageError> {
        self.settle_in_queue(worker, settlements)
    }

    fn queue_length(&self, queue: &QueueName) -> Result<u64, StorageError> {
        self.read_queue_length(queue)
    }

    fn peek_messages(
        &self,
        queue: &QueueName,
        at_most: usize,
    ) -> Result<Vec<QueueMessage>, StorageError> {
        self.read_queue(queue, at_most)
    }

    fn move_messages(&self, from: &QueueName, to: &QueueName) -> Result<u64, StorageError> {
        self.move_queue(from, to)
    }

    fn open_schedule(
        &self,
        name: &str,
        cron: &str,
        now: DateTime<Utc>,
    ) -> Result<Schedule, StorageError> {
        self.find_or_create_schedule(name, cron, now)
    }

    fn take_schedule(
        &self,
        claim: &ScheduleClaim<'_>,
        lease: Duration,
    ) -> Result<ScheduleTurn, StorageError> {
        self.claim_schedule(claim, lease)
    }

    fn settle_schedule(&self, claim: &ScheduleClaim<'_>, done: bool) -> Result<bool, StorageError> {
        self.end_claim(claim, done)
    }

    fn renew_triggers(&self, worker: &WorkerId, lease: Duration) -> Result<(), StorageError> {
        self.renew_claims(worker, lease)
    }

    fn setting(&self, name: &str, default: &str) -> Result<String, StorageError> {
        self.read_or_set(name, default)
    }
}
