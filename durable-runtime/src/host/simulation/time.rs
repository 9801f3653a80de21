//! Simulated time, and those who wait for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use crate::clock;

/// The clock of a cluster. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Timekeeper {
    alarms: Arc<Mutex<Alarms>>,
}

#[derive(Debug, Default)]
struct Alarms {
    set: u64,
    /// By when they are due, and the order in which they were set.
    waiting: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
}

impl Timekeeper {
    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        clock::now()
    }

    /// How much time has passed since the cluster began.
    pub fn elapsed(&self) -> Duration {
        clock::simulated::passed().unwrap_or_default()
    }

    /// Completes when so much time has passed.
    pub async fn sleep(&self, duration: Duration) {
        // An error would be the end of the cluster, and of whoever waits here.
        let _ = self.set(duration).await;
    }

    fn set(&self, duration: Duration) -> oneshot::Receiver<()> {
        let (ring, waits) = oneshot::channel();
        let mut alarms = self.lock();
        alarms.set += 1;
        let key = (self.elapsed().saturating_add(duration), alarms.set);
        alarms.waiting.insert(key, ring);
        waits
    }

    /// When the next of those who wait is due.
    pub(super) fn next(&self) -> Option<Duration> {
        let alarms = self.lock();
        alarms.waiting.keys().next().map(|(due, _)| *due)
    }

    /// Tells those who are due. Returns whether somebody was.
    pub(super) fn ring(&self) -> bool {
        let mut alarms = self.lock();
        let now = (self.elapsed(), u64::MAX);
        let later = alarms.waiting.split_off(&now);
        let due = std::mem::replace(&mut alarms.waiting, later);
        drop(alarms);
        let rings = !due.is_empty();
        for ring in due.into_values() {
            // Whoever has stopped waiting does not want it.
            let _ = ring.send(());
        }
        rings
    }

    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
