//! Runs client functions: by the clock, and for the messages of queues.

mod binding;
mod consumer;
mod desk;
mod news;
mod schedule;
mod timer;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use binding::Bound;
pub(super) use binding::{Binder, BoundFunctions, Connections};
use consumer::Consumer;
use desk::Desk;
pub(super) use news::News;
use schedule::Cron;
use timer::Timer;

use super::state::HostState;
use super::{HostError, HostOptions};
use crate::model::WorkerId;
use crate::registry::client_function::Trigger;
use crate::storage::HubStorage;

/// How long functions that were given up are waited for, and storage to take back what they had.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// What runs the client functions of a host. Nothing of it keeps a thread busy while nothing is due.
pub(super) struct Triggers {
    stops: Stops,
    state: Arc<HostState>,
    /// What is still to be started.
    prepared: Mutex<Prepared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Prepared {
    timers: Vec<Timer>,
    consumers: Vec<Consumer>,
    desk: Option<Arc<Desk>>,
}

impl fmt::Debug for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Triggers").finish_non_exhaustive()
    }
}

/// How far a host has come with ending, as its triggers see it.
#[derive(Debug, Clone, Default)]
struct Stops {
    /// Nothing more is begun.
    begin: CancellationToken,
    /// What is running is given up.
    running: CancellationToken,
    /// Nothing is running any more.
    ended: CancellationToken,
}

/// What the triggers of a host need of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) storage: &'a Arc<dyn HubStorage>,
    pub(super) worker: &'a WorkerId,
    pub(super) state: &'a Arc<HostState>,
    pub(super) news: &'a Arc<News>,
    pub(super) options: &'a HostOptions,
}

impl Triggers {
    /// Prepares what runs `functions`.
    ///
    /// # Errors
    ///
    /// [`HostError::InvalidSchedule`].
    pub(super) fn new(
        functions: &BoundFunctions,
        setting: &Setting<'_>,
    ) -> Result<Self, HostError> {
        let stops = Stops::default();
        let desk = Arc::new(Desk::new(setting, &stops));
        let mut prepared = Prepared::default();
        for bound in &functions.0 {
            match bound.trigger {
                Trigger::Timer(trigger) => prepared.timers.push(Timer {
                    desk: Arc::clone(&desk),
                    cron: Cron::parse(bound, trigger.schedule)?,
                    call: bound.call.clone(),
                    run: trigger.run,
                }),
                Trigger::Queue(trigger) => {
                    let consumer = Consumer::new(&desk, bound, &trigger, setting);
                    prepared.consumers.push(consumer);
                }
                _ => {}
            }
        }
        let is_needed = !prepared.timers.is_empty() || !prepared.consumers.is_empty();
        prepared.desk = is_needed.then_some(desk);
        Ok(Self {
            stops,
            state: Arc::clone(setting.state),
            prepared: Mutex::new(prepared),
            tasks: Mutex::default(),
        })
    }

    /// Runs the functions from now on.
    pub(super) fn start(&self, runtime: &Handle) {
        let prepared = std::mem::take(&mut *lock(&self.prepared));
        let Some(desk) = prepared.desk else {
            return;
        };
        let mut tasks = lock(&self.tasks);
        for timer in prepared.timers {
            tasks.push(runtime.spawn(timer.run()));
        }
        for consumer in prepared.consumers {
            tasks.push(runtime.spawn(consumer.run()));
        }
        runtime.spawn(desk.renew());
        runtime.spawn(end_with(Arc::clone(&self.state), self.stops.clone()));
    }

    /// Begins nothing more, gives what is running time to end, and gives the rest back: it is done again by
    /// the next host.
    pub(super) async fn stop(&self, grace: Duration) {
        self.stops.begin.cancel();
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        let mut all = join_all(tasks);
        if tokio::time::timeout(grace, &mut all).await.is_err() {
            tracing::warn!(
                "client functions are still running; they are run again by the next host"
            );
            self.stops.running.cancel();
            // One that blocks its thread cannot be given up; its lease runs out.
            let _ = tokio::time::timeout(GIVING_BACK, all).await;
        }
        self.stops.ended.cancel();
    }

    /// As [`stop`](Self::stop), at once and in the background.
    pub(super) fn abandon(&self) {
        self.stops.begin.cancel();
        self.stops.running.cancel();
        self.stops.ended.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A host that cannot go on begins nothing more.
async fn end_with(state: Arc<HostState>, stops: Stops) {
    tokio::select! {
        _ = state.failed() => {
            stops.begin.cancel();
            stops.running.cancel();
        }
        () = stops.ended.cancelled() => {}
    }
}
