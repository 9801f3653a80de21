//! Who is to look into which queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::model::QueueName;
use crate::registry::Registry;
use crate::registry::client_function::Trigger;

/// Tells the consumers of a host of messages. What is told to a consumer that is busy is kept for it.
#[derive(Debug, Default)]
pub(crate) struct News {
    queues: BTreeMap<QueueName, Arc<QueueNews>>,
}

/// What the consumer of one queue is told.
#[derive(Debug, Default)]
pub(super) struct QueueNews {
    /// There is a message.
    pub(super) pushed: Notify,
    /// Something in the hub has changed, which may be a message.
    pub(super) changed: Notify,
}

impl News {
    /// For the functions that take messages.
    pub(crate) fn of(registry: &Registry) -> Self {
        let queues =
            registry
                .client_functions()
                .filter_map(|(_, function)| match function.trigger {
                    Trigger::Queue(trigger) => Some(QueueName::trusted(trigger.queue)),
                    _ => None,
                });
        Self {
            queues: queues.map(|queue| (queue, Arc::default())).collect(),
        }
    }

    /// What is told about `queue`.
    pub(super) fn queue(&self, queue: &QueueName) -> Arc<QueueNews> {
        self.queues.get(queue).map(Arc::clone).unwrap_or_default()
    }

    /// A client of this process has pushed messages.
    pub(crate) fn pushed(&self, queue: &QueueName) {
        if let Some(news) = self.queues.get(queue) {
            news.pushed.notify_one();
        }
    }

    /// The hub has changed.
    pub(in crate::host) fn changed(&self) {
        for news in self.queues.values() {
            news.changed.notify_one();
        }
    }
}
