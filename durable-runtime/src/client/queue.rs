//! Durable queues.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{ClientError, DurableClient};
use crate::model::QueueName;
use crate::storage::QueueMessage;

/// A message of a queue, as it is looked at.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QueuedMessage {
    /// What was enqueued.
    pub body: Value,
    /// When.
    pub enqueued_time: DateTime<Utc>,
    /// How often it was delivered to a client function so far, from this queue.
    pub attempts: u32,
    /// Why it has not been dealt with; `None` if it was not delivered, or nothing is known yet.
    pub error: Option<String>,
}

impl From<QueueMessage> for QueuedMessage {
    fn from(message: QueueMessage) -> Self {
        Self {
            body: message.body.to_value(),
            enqueued_time: message.enqueued,
            attempts: message.attempt,
            error: message.error,
        }
    }
}

impl DurableClient {
    /// Puts a message at the end of a durable queue of the task hub, for the function with
    /// `#[durable_client(queue(".."))]`. It waits there until a host that has the function runs.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # #[derive(serde::Serialize)] struct Order { id: String }
    /// # async fn example(client: DurableClient, order: Order) -> Result<()> {
    /// client.enqueue("orders", &order).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidQueueName`]: a name has 1 to 128 ASCII letters, digits, `-`, `_` and `.`;
    /// [`ClientError::Serialization`]; [`ClientError::PayloadTooLarge`]; [`ClientError::Storage`]: the message
    /// may or may not be in the queue then.
    pub async fn enqueue(
        &self,
        queue: impl Into<String>,
        message: impl Serialize,
    ) -> Result<(), ClientError> {
        let queue = QueueName::new(queue)?;
        let body = self.encode(&format!("a message for queue {queue}"), &message)?;
        let to = queue.clone();
        self.link()
            .read(move |storage| storage.push_messages(&to, &[body]))
            .await?;
        self.link().pushed(&queue);
        Ok(())
    }

    /// How many messages are in a queue, those that are being worked on included.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidQueueName`]; [`ClientError::Storage`].
    pub async fn queue_length(&self, queue: impl Into<String>) -> Result<u64, ClientError> {
        let queue = QueueName::new(queue)?;
        self.link()
            .read(move |storage| storage.queue_length(&queue))
            .await
    }

    /// The first messages of a queue, at most `at_most`, without taking them: `orders-poison` has those of
    /// `orders` that could not be dealt with.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidQueueName`]; [`ClientError::Storage`].
    pub async fn peek_queue(
        &self,
        queue: impl Into<String>,
        at_most: usize,
    ) -> Result<Vec<QueuedMessage>, ClientError> {
        let queue = QueueName::new(queue)?;
        let messages = self
            .link()
            .read(move |storage| storage.peek_messages(&queue, at_most))
            .await?;
        Ok(messages.into_iter().map(QueuedMessage::from).collect())
    }

    /// Puts the messages of `queue` that could not be dealt with back into it, with as many attempts as new
    /// ones have, and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidQueueName`]; [`ClientError::Storage`].
    pub async fn requeue_poison(&self, queue: impl Into<String>) -> Result<u64, ClientError> {
        let queue = QueueName::new(queue)?;
        let to = queue.clone();
        let moved = self
            .link()
            .read(move |storage| storage.move_messages(&to.poison(), &to))
            .await?;
        self.link().pushed(&queue);
        Ok(moved)
    }
}
