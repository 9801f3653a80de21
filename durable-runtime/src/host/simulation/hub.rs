//! A hub that fails now and then, and that is watched.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::faults::Fate;
use super::witness::Witness;
use crate::model::{
    Delta, Due, EntityRecord, Envelope, Epoch, InboxMessage, InstanceId, PartitionId, Payload,
    QueueName, Rejection, Reply, RequestId, StoredInstance, WorkerId,
};
use crate::storage::{
    EntityPageRequest, HubStorage, InstancePageRequest, InstanceSummary, Lease, QueueMessage,
    Schedule, ScheduleClaim, ScheduleTurn, Settlement, StorageError, TakeMessages, TakenMessages,
    Watch,
};

/// A hub as one process has it open.
#[derive(Debug)]
pub(super) struct FailingHub {
    pub(super) hub: Arc<dyn HubStorage>,
    pub(super) fate: Arc<Fate>,
    pub(super) witness: Witness,
    pub(super) who: String,
}

type Answer<T> = Result<T, StorageError>;

impl FailingHub {
    fn ask<T>(&self, what: &str, ask: impl FnOnce(&dyn HubStorage) -> Answer<T>) -> Answer<T> {
        self.fate.storage(&self.who, what)?;
        ask(&*self.hub)
    }

    fn say(&self, what: std::fmt::Arguments<'_>) {
        self.fate.trace.say(&self.who, what);
    }
}

impl HubStorage for FailingHub {
    fn partition_count(&self) -> u32 {
        self.hub.partition_count()
    }

    fn acquire(&self, worker: &WorkerId, duration: Duration, at_most: usize) -> Answer<Vec<Lease>> {
        // Few at a time, so that every host gets some.
        let few = 1 + self.fate.with_dice(|dice| dice.place(2));
        let leases = self.ask("acquiring partitions", |hub| {
            hub.acquire(worker, duration, at_most.min(few))
        })?;
        for lease in &leases {
            self.say(format_args!(
                "owns partition {} under epoch {}",
                lease.partition, lease.epoch
            ));
            self.witness.acquired(worker, lease);
        }
        Ok(leases)
    }

    fn renew(&self, worker: &WorkerId, duration: Duration) -> Answer<Vec<(PartitionId, Epoch)>> {
        self.ask("renewing leases", |hub| hub.renew(worker, duration))
    }

    fn release(&self, worker: &WorkerId) -> Answer<()> {
        self.ask("releasing leases", |hub| hub.release(worker))?;
        self.say(format_args!("gives its leases back"));
        Ok(())
    }

    fn is_owned(&self, partition: PartitionId) -> Answer<bool> {
        self.ask("asking for an owner", |hub| hub.is_owned(partition))
    }

    fn due_instances(&self, partition: PartitionId) -> Answer<Vec<(InstanceId, Due)>> {
        self.ask("reading what is due", |hub| hub.due_instances(partition))
    }

    fn load(&self, ids: &[InstanceId]) -> Answer<Vec<Option<StoredInstance>>> {
        self.ask("loading instances", |hub| hub.load(ids))
    }

    fn commit(&self, deltas: &[Delta]) -> Answer<()> {
        let result = self.ask("committing", |hub| hub.commit(deltas));
        let parts: Vec<_> = deltas
            .iter()
            .map(|delta| {
                let changed: Vec<_> = delta
                    .instances
                    .iter()
                    .map(|one| one.id().as_str())
                    .collect();
                format!(
                    "[{}/{} {} sent {} consumed {}]",
                    delta.partition,
                    delta.epoch,
                    changed.join(" "),
                    delta.outgoing.len(),
                    delta.consumed.len()
                )
            })
            .collect();
        let parts = parts.join(" ");
        match &result {
            Ok(()) => self.say(format_args!("commits {parts}")),
            Err(error) => self.say(format_args!("does not commit {parts}: {error}")),
        }
        result?;
        self.witness.committed(&self.who, deltas);
        if self.fate.loses_acknowledgement() {
            self.say(format_args!("is not told so"));
            return Err(StorageError::Unavailable {
                message: "simulated: the acknowledgement of a commit was lost".to_owned(),
            });
        }
        Ok(())
    }

    fn enqueue(&self, envelopes: &[Envelope]) -> Answer<()> {
        self.ask("enqueueing", |hub| hub.enqueue(envelopes))?;
        for envelope in envelopes {
            self.say(format_args!("enqueues for {}", envelope.to));
        }
        Ok(())
    }

    fn inbox(&self, partitions: &[PartitionId]) -> Answer<Vec<InboxMessage>> {
        self.ask("reading the inbox", |hub| hub.inbox(partitions))
    }

    fn take_reply(&self, request: RequestId) -> Answer<Option<Result<Reply, Rejection>>> {
        self.ask("taking a reply", |hub| hub.take_reply(request))
    }

    fn watch(&self) -> Answer<Box<dyn Watch>> {
        self.ask("watching", HubStorage::watch)
    }

    fn summary(&self, id: &InstanceId, with_input: bool) -> Answer<Option<InstanceSummary>> {
        self.ask("reading a row", |hub| hub.summary(id, with_input))
    }

    fn list(&self, request: &InstancePageRequest) -> Answer<Vec<InstanceSummary>> {
        self.ask("listing instances", |hub| hub.list(request))
    }

    fn entities(&self, ids: &[InstanceId]) -> Answer<Vec<Option<EntityRecord>>> {
        self.ask("loading entities", |hub| hub.entities(ids))
    }

    fn list_entities(&self, request: &EntityPageRequest) -> Answer<Vec<EntityRecord>> {
        self.ask("listing entities", |hub| hub.list_entities(request))
    }

    fn children(&self, parent: &InstanceId) -> Answer<Vec<InstanceId>> {
        self.ask("finding children", |hub| hub.children(parent))
    }

    fn push_messages(&self, queue: &QueueName, messages: &[Payload]) -> Answer<()> {
        self.ask("pushing messages", |hub| hub.push_messages(queue, messages))
    }

    fn take_messages(&self, request: &TakeMessages<'_>) -> Answer<TakenMessages> {
        self.ask("taking messages", |hub| hub.take_messages(request))
    }

    fn settle_messages(&self, worker: &WorkerId, done: &[Settlement]) -> Answer<Vec<bool>> {
        self.ask("settling messages", |hub| hub.settle_messages(worker, done))
    }

    fn queue_length(&self, queue: &QueueName) -> Answer<u64> {
        self.ask("counting messages", |hub| hub.queue_length(queue))
    }

    fn peek_messages(&self, queue: &QueueName, at_most: usize) -> Answer<Vec<QueueMessage>> {
        self.ask("looking at messages", |hub| {
            hub.peek_messages(queue, at_most)
        })
    }

    fn move_messages(&self, from: &QueueName, to: &QueueName) -> Answer<u64> {
        self.ask("moving messages", |hub| hub.move_messages(from, to))
    }

    fn open_schedule(&self, name: &str, cron: &str, now: DateTime<Utc>) -> Answer<Schedule> {
        self.ask("opening a schedule", |hub| {
            hub.open_schedule(name, cron, now)
        })
    }

    fn take_schedule(&self, claim: &ScheduleClaim<'_>, lease: Duration) -> Answer<ScheduleTurn> {
        self.ask("taking a due time", |hub| hub.take_schedule(claim, lease))
    }

    fn settle_schedule(&self, claim: &ScheduleClaim<'_>, done: bool) -> Answer<bool> {
        self.ask("settling a due time", |hub| {
            hub.settle_schedule(claim, done)
        })
    }

    fn renew_triggers(&self, worker: &WorkerId, lease: Duration) -> Answer<()> {
        self.ask("renewing claims", |hub| hub.renew_triggers(worker, lease))
    }

    fn setting(&self, name: &str, default: &str) -> Answer<String> {
        self.ask("reading a setting", |hub| hub.setting(name, default))
    }
}
