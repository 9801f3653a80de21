//! Virtual time: that of the async runtime while its clock is paused, in whole milliseconds.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::TestHostError;

/// The clock of a test host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VirtualTime {
    start: DateTime<Utc>,
    origin: Instant,
}

impl VirtualTime {
    /// It is `start` now.
    pub(super) fn new(start: DateTime<Utc>) -> Self {
        Self {
            start,
            origin: Instant::now(),
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let millis = i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
        let elapsed = TimeDelta::try_milliseconds(millis);
        elapsed
            .and_then(|elapsed| self.start.checked_add_signed(elapsed))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub(super) fn elapsed(&self) -> Duration {
        let elapsed = Instant::now().duration_since(self.origin);
        Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    /// Completes at `time` or, if that is farther away than `limit` from the start, then. Never early.
    pub(super) async fn sleep_until(&self, time: Option<DateTime<Utc>>, limit: Duration) {
        let from_start = time.and_then(|time| (time - self.start).to_std().ok());
        let micros = from_start.unwrap_or(limit).min(limit).as_micros();
        let millis = u64::try_from(micros.div_ceil(1_000)).unwrap_or(u64::MAX);
        let at = self.origin.checked_add(Duration::from_millis(millis));
        match at {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// Lets `duration` of virtual time pass.
pub(super) async fn sleep(duration: Duration) {
    match Instant::now().checked_add(duration) {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The runtime rounds up to whole milliseconds since its clock began. Where the host began between two of
/// these, what is whole for the host would be late by one.
pub(crate) async fn sleep_until(at: Instant) {
    const ALMOST: Duration = Duration::from_nanos(999_999);
    tokio::time::sleep_until(at.checked_sub(ALMOST).unwrap_or(at)).await;
}

/// Has the clock of the runtime stand still unless all its tasks wait.
pub(super) fn pause() -> Result<(), TestHostError> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| TestHostError::NoRuntime)?;
    if runtime.runtime_flavor() != tokio::runtime::RuntimeFlavor::CurrentThread {
        return Err(TestHostError::ManyThreads);
    }
    if !is_paused() {
        tokio::time::pause();
    }
    Ok(())
}

/// The runtime does not tell whether its clock stands still, so it is watched for a moment.
fn is_paused() -> bool {
    let before = Instant::now();
    let began = crate::clock::instant();
    while began.elapsed() < Duration::from_micros(2) {
        std::hint::spin_loop();
    }
    Instant::now() == before
}
