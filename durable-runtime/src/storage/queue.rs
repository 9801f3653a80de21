//! Durable queues, as storage has them.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::{Payload, QueueName, WorkerId};

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Never used twice in a hub; grows with the order of the queue.
    pub number: u64,
    /// What was pushed.
    pub body: Payload,
    /// When it was pushed.
    pub enqueued: DateTime<Utc>,
    /// How often it was given to a worker, this time included.
    pub attempt: u32,
    /// Why the last attempt that a worker has told of was none that counts, or the message was moved.
    pub error: Option<String>,
}

/// A request for messages.
#[derive(Debug, Clone, Copy)]
pub struct TakeMessages<'a> {
    /// From this queue.
    pub queue: &'a QueueName,
    /// For this worker.
    pub worker: &'a WorkerId,
    /// For how long.
    pub lease: Duration,
    /// At most as many.
    pub at_most: usize,
    /// Only the first message of the queue, when nobody has it.
    pub in_order: bool,
}

/// The answer to [`TakeMessages`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenMessages {
    /// In their order.
    pub messages: Vec<QueueMessage>,
    /// When there may be more, should nobody push or settle any before: none is to be had now, but one
    /// that is waited for, or held by a worker, is in the queue.
    pub more_in: Option<Duration>,
}

/// What has become of a message that was given to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// [`QueueMessage::number`]
    pub number: u64,
    /// [`QueueMessage::attempt`]
    pub attempt: u32,
    /// What is to be done with it.
    pub settled: Settled,
}

/// The ways in which a message is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It has been dealt with, and is deleted.
    Done,
    /// It is given again.
    Again {
        /// After this time.
        delay: Duration,
        /// What went wrong.
        error: String,
    },
    /// It is given again at once, and this attempt does not count: it was not carried out.
    Returned,
    /// It goes to another queue, where it has had no attempt.
    Moved {
        /// That queue.
        to: QueueName,
        /// What went wrong.
        error: String,
    },
}
