//! How far a host has come with ending.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::HostError;
use super::statistics::Counters;

/// Shared by all threads of a host.
#[derive(Debug)]
pub(super) struct HostState {
    stopping: AtomicBool,
    abandoned: Mutex<bool>,
    changed: Condvar,
    failure: watch::Sender<Option<HostError>>,
    pub(super) counters: Counters,
}

impl Default for HostState {
    fn default() -> Self {
        Self {
            stopping: AtomicBool::new(false),
            abandoned: Mutex::new(false),
            changed: Condvar::new(),
            failure: watch::Sender::new(None),
            counters: Counters::default(),
        }
    }
}

impl HostState {
    /// The host ends, when it has done what it has begun.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether nothing new is begun.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Gives up: what is not committed is not waited for.
    pub(super) fn abandon(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    pub(super) fn is_abandoned(&self) -> bool {
        *self.lock()
    }

    /// Waits for `duration`, or until the host gives up; `true` if it has.
    pub(super) fn wait_for_abandon(&self, duration: Duration) -> bool {
        #[cfg(feature = "simulation")]
        if crate::clock::simulated::pass(duration) {
            return self.is_abandoned();
        }
        let guard = self.lock();
        let (guard, _) = self
            .changed
            .wait_timeout_while(guard, duration, |abandoned| !*abandoned)
            .unwrap_or_else(PoisonError::into_inner);
        *guard
    }

    /// The host cannot go on.
    pub(super) fn fail(&self, error: HostError) {
        tracing::error!(%error, "the durable host stops");
        self.failure.send_replace(Some(error));
        self.abandon();
    }

    pub(super) fn failure(&self) -> Option<HostError> {
        self.failure.borrow().clone()
    }

    /// Completes when the host cannot go on.
    pub(super) async fn failed(&self) -> HostError {
        let mut failure = self.failure.subscribe();
        loop {
            if let Some(error) = failure.borrow_and_update().clone() {
                return error;
            }
            if failure.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
