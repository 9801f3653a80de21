//! Which orchestrator each partition thread is running, so that one that does not stop is noticed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;
use crate::model::InstanceId;

/// An orchestrator that runs for longer without waiting is reported: it holds up others.
const SLOW: Duration = Duration::from_millis(100);
/// One that has not stopped after this is reported while it runs.
const STUCK: Duration = Duration::from_secs(2);

/// What one partition thread is running.
#[derive(Debug, Default)]
pub(super) struct Busy(Mutex<Option<Running>>);

#[derive(Debug)]
struct Running {
    instance: InstanceId,
    since: Instant,
    reported: bool,
}

impl Busy {
    pub(super) fn begin(&self, instance: InstanceId) {
        *self.lock() = Some(Running {
            instance,
            since: clock::instant(),
            reported: false,
        });
    }

    pub(super) fn end(&self) {
        let Some(running) = self.lock().take() else {
            return;
        };
        let took = clock::since(running.since);
        if took > SLOW {
            tracing::warn!(
                instance = %running.instance,
                milliseconds = took.as_millis(),
                "an orchestrator ran for long without waiting and held up others: move the work \
                 into an activity"
            );
        }
    }

    /// Says so, once, if the thread does not come away from an orchestrator.
    pub(super) fn report_if_stuck(&self) {
        let mut running = self.lock();
        if let Some(running) = running.as_mut()
            && !running.reported
            && clock::since(running.since) > STUCK
        {
            running.reported = true;
            tracing::error!(
                instance = %running.instance,
                "an orchestrator does not stop running and holds up all others of its thread, \
                 commands to it included: it must await durable tasks only, and never block or loop \
                 without one"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
