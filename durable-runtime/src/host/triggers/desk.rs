//! What the triggers of a host have in common: the way to storage, and the leases on what they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::Stops;
use crate::clock::Clock;
use crate::model::WorkerId;
use crate::storage::{HubStorage, StorageError};

/// The first pause after a failure of storage, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Shared by all triggers of a host.
#[derive(Debug)]
pub(crate) struct Desk {
    storage: Arc<dyn HubStorage>,
    pub(super) worker: WorkerId,
    /// How long what this worker was given is its own, if nothing is heard of it.
    pub(super) lease: Duration,
    pub(super) stops: Stops,
    /// In virtual time storage is asked in place: it is in memory, and the order is always the same.
    pub(super) clock: Clock,
    /// How many runs may yet begin.
    runs_left: AtomicU64,
    /// How many messages and due times are being worked on.
    held: AtomicUsize,
}

/// Something that is being worked on, whose lease is renewed until this is dropped.
#[derive(Debug)]
pub(super) struct Held(Arc<Desk>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Desk {
    pub(super) fn new(
        storage: &Arc<dyn HubStorage>,
        worker: &WorkerId,
        lease: Duration,
        stops: &Stops,
    ) -> Self {
        Self {
            storage: Arc::clone(storage),
            worker: worker.clone(),
            lease,
            stops: stops.clone(),
            clock: Clock::Machine,
            runs_left: AtomicU64::new(u64::MAX),
            held: AtomicUsize::new(0),
        }
    }

    /// For a test: in virtual time, with no more than `runs` runs of functions.
    #[cfg(feature = "testing")]
    pub(crate) fn of_test(
        storage: &Arc<dyn HubStorage>,
        worker: &WorkerId,
        clock: Clock,
        runs: u64,
    ) -> Self {
        Self {
            clock,
            runs_left: AtomicU64::new(runs),
            // Whoever has died is told of, so no lease has to run out.
            ..Self::new(storage, worker, Duration::MAX, &Stops::default())
        }
    }

    /// Whether no more runs begin because there were as many as there may be.
    #[cfg(feature = "testing")]
    pub(crate) fn is_worn_out(&self) -> bool {
        self.runs_left.load(Ordering::Relaxed) == 0
    }

    pub(super) fn hold(self: &Arc<Self>) -> Held {
        let left = self
            .runs_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if left == Ok(1) {
            self.stops.begin.cancel();
        }
        self.held.fetch_add(1, Ordering::Relaxed);
        Held(Arc::clone(self))
    }

    /// Asks storage, which blocks.
    pub(super) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&Self, &dyn HubStorage) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        if self.clock.is_virtual() {
            return call(self, &*self.storage);
        }
        let desk = Arc::clone(self);
        let asked = tokio::task::spawn_blocking(move || call(&desk, &*desk.storage)).await;
        asked.unwrap_or_else(|error| {
            Err(StorageError::Unavailable {
                message: error.to_string(),
            })
        })
    }

    /// Asks until storage answers, or the host gives up.
    pub(super) async fn insist<T: Send + 'static>(
        self: &Arc<Self>,
        what: &str,
        call: impl Fn(&Self, &dyn HubStorage) -> Result<T, StorageError> + Send + Sync + 'static,
    ) -> Option<T> {
        let call = Arc::new(call);
        let mut pause = PAUSES.0;
        loop {
            let attempt = Arc::clone(&call);
            match self.ask(move |desk, storage| attempt(desk, storage)).await {
                Ok(answer) => return Some(answer),
                Err(error) => tracing::warn!(%error, "{what} failed; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stops.running.cancelled() => return None,
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Prolongs the leases on what is being worked on, until nothing is any more.
    pub(super) fn renew(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let desk = Arc::clone(self);
        async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(desk.lease / 3) => {}
                    () = desk.stops.ended.cancelled() => return,
                }
                if desk.held.load(Ordering::Relaxed) == 0 {
                    continue;
                }
                let renewed =
                    desk.ask(|desk, storage| storage.renew_triggers(&desk.worker, desk.lease));
                if let Err(error) = renewed.await {
                    tracing::warn!(%error, "renewing the leases of client functions failed; trying again");
                }
            }
        }
    }
}
