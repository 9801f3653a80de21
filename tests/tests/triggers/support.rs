//! What several tests need.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use durable_runtime::host::{DurableHostBuilder, HostOptions};
use durable_runtime::prelude::*;
use durable_runtime::storage::StorageProvider;

use crate::process::PATIENCE;

/// A host that runs what is registered by hand, for tests do not know each other's functions.
pub(crate) fn host(storage: impl StorageProvider) -> DurableHostBuilder {
    DurableHost::builder()
        .task_hub("crash")
        .storage(storage)
        .options(quick())
        .without_discovery()
}

/// Options with which nothing takes long.
pub(crate) fn quick() -> HostOptions {
    HostOptions {
        queue_retry_delay: Duration::from_millis(5),
        lease_duration: Duration::from_secs(30),
        partition_count: 2,
        ..HostOptions::default()
    }
}

/// What functions have seen, in order.
#[derive(Debug)]
pub(crate) struct Log<T = String>(Mutex<Vec<T>>);

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Log<T> {
    /// Notes an entry, and returns how many there are now.
    pub(crate) fn note(&self, entry: impl Into<T>) -> usize {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry.into());
        entries.len()
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clone()
    }

    /// Waits until there are `number` entries.
    pub(crate) async fn has(&self, number: usize) -> Vec<T> {
        let what = format!("{number} entries");
        let enough = async || Some(self.entries()).filter(|found| found.len() >= number);
        eventually(&what, enough).await
    }
}

/// Waits until `attempt` gives something.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let mut look = tokio::time::interval(Duration::from_millis(2));
    let found = async {
        loop {
            look.tick().await;
            if let Some(found) = attempt().await {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Waits until a queue is empty, which it is when all its messages have been settled.
pub(crate) async fn emptied(client: &DurableClient, queue: &str) {
    let is_empty = async || (client.queue_length(queue).await.unwrap() == 0).then_some(());
    eventually("an empty queue", is_empty).await;
}
