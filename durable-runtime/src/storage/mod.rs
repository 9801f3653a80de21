//! Where a task hub is kept. A provider implements [`StorageProvider`] and [`HubStorage`]; one
//! suite of conformance tests runs against all of them.
//!
//! All calls block; the host makes them from threads of its own.

mod error;
mod memory;
mod query;
mod queue;
mod schedule;
mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use error::StorageError;
pub use memory::Memory;
pub use query::{
    EntityFilter, EntityPageRequest, InstanceFilter, InstancePageRequest, InstanceSummary, PageKey,
};
pub use queue::{QueueMessage, Settled, Settlement, TakeMessages, TakenMessages};
pub use schedule::{Schedule, ScheduleClaim, ScheduleTurn};
pub use sqlite::{Sqlite, SqliteOptions};

use crate::model::{
    Delta, Due, EntityRecord, Envelope, Epoch, InboxMessage, InstanceId, PartitionId, Payload,
    QueueName, Rejection, Reply, RequestId, StoredInstance, TaskHubName, WorkerId,
};

/// A place that can hold task hubs: a file, a database, the memory of this process.
pub trait StorageProvider: fmt::Debug + Send + Sync + 'static {
    /// Opens the hub `name`, creating it with `options` if it does not exist, and brings its schema
    /// up to date. Two processes may do so at once: one of them creates, both open.
    ///
    /// # Errors
    ///
    /// [`StorageError::NewerSchema`], [`StorageError::NotOurs`], [`StorageError::Corrupt`],
    /// [`StorageError::Unavailable`].
    fn open_hub(
        &self,
        name: &TaskHubName,
        options: &HubOptions,
    ) -> Result<Arc<dyn HubStorage>, StorageError>;

    /// Opens the hub `name` if it exists; creates nothing.
    ///
    /// # Errors
    ///
    /// As for [`open_hub`](Self::open_hub).
    fn find_hub(&self, name: &TaskHubName) -> Result<Option<Arc<dyn HubStorage>>, StorageError>;

    /// The names of all hubs, as they were given when they were created, in alphabetical order.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn hubs(&self) -> Result<Vec<String>, StorageError>;

    /// Deletes the hub `name` with all it holds. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// As for [`open_hub`](Self::open_hub).
    fn delete_hub(&self, name: &TaskHubName) -> Result<bool, StorageError>;
}

/// How a hub is created. What is given for a hub that exists has no effect.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// The number of partitions, fixed for the hub's life; at least 1.
    pub partition_count: u32,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            partition_count: 16,
        }
    }
}

/// One task hub in storage.
///
/// # Guarantees every provider gives
///
/// * [`commit`](Self::commit) is atomic and durable: when it returns `Ok`, all of it survives a
///   crash of the process and of the machine; when it returns an error or never returns, either all
///   or none of it is there, and a repetition of the same deltas does no harm.
/// * What a commit wrote is seen by every later read, from any process.
/// * A commit under an epoch that is no longer the partition's is refused as a whole.
pub trait HubStorage: fmt::Debug + Send + Sync + 'static {
    /// The number of partitions that the hub was created with.
    fn partition_count(&self) -> u32;

    /// Takes up to `at_most` partitions for `worker`, until `duration` from now by the storage's
    /// clock: those that nobody owns, whose lease has expired, or whose owner is known to be gone.
    /// Each gets an epoch above all earlier ones. What an owner that is known to be gone was given of messages
    /// and schedules is free from then on.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; nothing was taken then.
    fn acquire(
        &self,
        worker: &WorkerId,
        duration: Duration,
        at_most: usize,
    ) -> Result<Vec<Lease>, StorageError>;

    /// Prolongs all leases of `worker` until `duration` from now, also those that have expired but
    /// that nobody else took. Returns the partitions that `worker` owns.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; the leases are as before.
    fn renew(
        &self,
        worker: &WorkerId,
        duration: Duration,
    ) -> Result<Vec<(PartitionId, Epoch)>, StorageError>;

    /// Gives all leases of `worker` back, marking them as handed over cleanly.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; the leases then run out by themselves.
    fn release(&self, worker: &WorkerId) -> Result<(), StorageError>;

    /// Whether some worker holds a lease on `partition` that has not expired.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn is_owned(&self, partition: PartitionId) -> Result<bool, StorageError>;

    /// What a new owner of `partition` has to take up: every instance and every entity that has a
    /// [`Due`], in the order of that.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn due_instances(&self, partition: PartitionId)
    -> Result<Vec<(InstanceId, Due)>, StorageError>;

    /// Loads instances with their histories, in the order asked; `None` for one that does not exist.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn load(&self, ids: &[InstanceId]) -> Result<Vec<Option<StoredInstance>>, StorageError>;

    /// Makes the deltas durable, in one transaction. See the guarantees above.
    ///
    /// Times are kept to the microsecond.
    ///
    /// The numbers of the messages that a partition sends have to grow for the hub's life, over all
    /// its owners (so a new owner begins above what any earlier one can have used, for instance
    /// with its epoch in the upper half). A message whose number is not above all that the partition
    /// has sent in earlier commits is taken for a repetition and not sent again, for its receiver may
    /// have consumed it meanwhile.
    ///
    /// # Errors
    ///
    /// [`StorageError::Fenced`], naming the partitions that have a newer owner: nothing was
    /// committed, and the deltas of the other partitions can be committed without those.
    /// [`StorageError::Unavailable`]: it may or may not have been committed. Repeating it is right,
    /// before anything later is merged into it: a message to itself that the later part consumes
    /// would be left out, but may be there.
    fn commit(&self, deltas: &[Delta]) -> Result<(), StorageError>;

    /// Puts envelopes into the inboxes of their receivers' partitions, durably, in this order, from
    /// the origin [`MessageOrigin::Client`](crate::model::MessageOrigin::Client). For processes that
    /// do not own the receiver.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; nothing was enqueued.
    fn enqueue(&self, envelopes: &[Envelope]) -> Result<(), StorageError>;

    /// All messages in the inboxes of `partitions`; those of one origin in the order of their
    /// numbers, and those of clients in the order in which they were enqueued. A message that cannot
    /// be read is left out and stays where it is, lest it hold up the others.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn inbox(&self, partitions: &[PartitionId]) -> Result<Vec<InboxMessage>, StorageError>;

    /// How many messages are in the inbox of `partition`, counted up to `at_most`. By default they are
    /// read, which takes long where there are many.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn inbox_length(&self, partition: PartitionId, at_most: usize) -> Result<usize, StorageError> {
        Ok(self.inbox(&[partition])?.len().min(at_most))
    }

    /// Takes the reply to a request out of storage, if it has been given. One that nobody takes is
    /// kept for an hour at least.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn take_reply(
        &self,
        request: RequestId,
    ) -> Result<Option<Result<Reply, Rejection>>, StorageError>;

    /// A watch on changes of the hub made by anyone.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn watch(&self) -> Result<Box<dyn Watch>, StorageError>;

    /// The row of one instance; with the first row of its history if `with_input`.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn summary(
        &self,
        id: &InstanceId,
        with_input: bool,
    ) -> Result<Option<InstanceSummary>, StorageError>;

    /// The rows that match, ordered by creation time and then id, from after the given key, at most
    /// as many as asked. Fewer than asked means that there are no more.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn list(&self, request: &InstancePageRequest) -> Result<Vec<InstanceSummary>, StorageError>;

    /// The rows of entities, in the order of `ids`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn entities(&self, ids: &[InstanceId]) -> Result<Vec<Option<EntityRecord>>, StorageError>;

    /// The rows of the entities that match, in the order of their ids, from after the given one, at
    /// most as many as asked. Fewer than asked means that there are no more. Their queues are empty,
    /// whatever is in them.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    fn list_entities(&self, request: &EntityPageRequest)
    -> Result<Vec<EntityRecord>, StorageError>;

    /// The instances whose parent is `parent`.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn children(&self, parent: &InstanceId) -> Result<Vec<InstanceId>, StorageError>;

    /// Puts messages at the end of a queue, in this order, durably and all or none. A queue exists as soon
    /// as something is in it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; they may or may not be in the queue.
    fn push_messages(&self, queue: &QueueName, messages: &[Payload]) -> Result<(), StorageError>;

    /// Gives messages to a worker, durably: nobody else is given them until the lease runs out, by the
    /// storage's clock, or the worker settles them. Each time a message is given counts as an attempt.
    ///
    /// Messages come in the order in which they were pushed, but for those that are given again: they come
    /// when they are [visible](Settled::Again). With [`TakeMessages::in_order`] nothing comes before
    /// the first message of the queue has been settled for good, whoever has it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; some may have been given, and come again when the lease runs out.
    fn take_messages(&self, request: &TakeMessages<'_>) -> Result<TakenMessages, StorageError>;

    /// Says what has become of messages that the worker was given, durably, and returns for each whether
    /// that was still the worker's to say: not once its lease has run out and the message was given again.
    /// A repetition of what was done already is nothing of the worker's any more.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; all or nothing of it was done.
    fn settle_messages(
        &self,
        worker: &WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<bool>, StorageError>;

    /// The number of messages in a queue, those that workers have been given included.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn queue_length(&self, queue: &QueueName) -> Result<u64, StorageError>;

    /// The first messages of a queue, at most as many as asked, without taking them.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn peek_messages(
        &self,
        queue: &QueueName,
        at_most: usize,
    ) -> Result<Vec<QueueMessage>, StorageError>;

    /// Moves all messages of `from` that no worker has into `to`, where they are as if they had never been
    /// given to anyone. Returns how many.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; nothing was moved.
    fn move_messages(&self, from: &QueueName, to: &QueueName) -> Result<u64, StorageError>;

    /// What is remembered of the schedule of the function `name`. One that is not known, or that was
    /// another one so far, begins at `now`: what it would have meant before then was not missed.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn open_schedule(
        &self,
        name: &str,
        cron: &str,
        now: DateTime<Utc>,
    ) -> Result<Schedule, StorageError>;

    /// Has a worker carry out a due time, durably: of all that ask for this one or an earlier one, one is
    /// told to, until its lease runs out by the storage's clock or it has settled it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; the worker may hold the lease, and may ask again.
    fn take_schedule(
        &self,
        claim: &ScheduleClaim<'_>,
        lease: Duration,
    ) -> Result<ScheduleTurn, StorageError>;

    /// Ends a claim: its due time has been carried out (`done`), or is to be given to the next who asks.
    /// Returns whether the worker still held it. A repetition does no harm.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`]; the claim may or may not have ended.
    fn settle_schedule(&self, claim: &ScheduleClaim<'_>, done: bool) -> Result<bool, StorageError>;

    /// Prolongs what a worker holds of messages and schedules until `lease` from now.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`].
    fn renew_triggers(&self, worker: &WorkerId, lease: Duration) -> Result<(), StorageError>;

    /// The hub's setting `name`. If there is none, it is `default` from now on; of several processes
    /// that ask for it at once, one sets it, and all get the same. It is durable when this returns,
    /// and goes with the hub.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], also where the hub has been deleted.
    fn setting(&self, name: &str, default: &str) -> Result<String, StorageError>;
}

/// Ownership of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The partition.
    pub partition: PartitionId,
    /// Goes into every commit.
    pub epoch: Epoch,
    /// Whether the owner before gave it back in good order (or there was none). Otherwise it has
    /// crashed or lost its lease, and what it ran may have taken it down.
    pub clean: bool,
}

/// Waits for news in a hub.
pub trait Watch: Send {
    /// Returns `true` as soon as the hub has, or may have, changed since the last call (at the
    /// latest 50 ms after the change), and `false` after `timeout` without a change.
    fn wait(&mut self, timeout: Duration) -> bool;
}

/// Whether a message or a change for `id` is about an entity.
fn is_entity(id: &InstanceId) -> bool {
    id.as_str().starts_with('@')
}
