//! What several tests need.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_runtime::host::{DurableHostBuilder, HostOptions};
use durable_runtime::prelude::*;
use durable_runtime::storage::StorageProvider;
use tokio::sync::Semaphore;

use crate::process::PATIENCE;

/// A host that runs what is registered by hand, for tests do not know each other's functions. It
/// replays every step right after it ran.
pub(crate) fn host(storage: impl StorageProvider, mut options: HostOptions) -> DurableHostBuilder {
    options.replay_check = true;
    DurableHost::builder()
        .task_hub("crash")
        .storage(storage)
        .options(options)
        .without_discovery()
}

/// Waits until `attempt` gives something.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let mut look = tokio::time::interval(Duration::from_millis(5));
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

/// Activities enter, and wait inside until they are let out.
#[derive(Debug)]
pub(crate) struct Gate {
    entered: Semaphore,
    exit: Semaphore,
    count: AtomicU32,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            entered: Semaphore::new(0),
            exit: Semaphore::new(0),
            count: AtomicU32::new(0),
        }
    }
}

impl Gate {
    pub(crate) async fn pass(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.entered.add_permits(1);
        self.exit.acquire().await.unwrap().forget();
    }

    /// How often it was entered.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until `number` have entered that were not waited for before.
    pub(crate) async fn entered(&self, number: u32) {
        let entered = tokio::time::timeout(PATIENCE, self.entered.acquire_many(number)).await;
        entered.expect("nobody comes").unwrap().forget();
    }

    pub(crate) fn let_out(&self, number: usize) {
        self.exit.add_permits(number);
    }
}

/// What is logged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
