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

use futures_core::future::BoxFuture;
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use binding::Bound;
pub(crate) use binding::BoundFunctions;
pub(super) use binding::{Binder, Connections};
use consumer::Consumer;
pub(crate) use desk::Desk;
pub(crate) use news::News;
use schedule::Cron;
#[cfg(feature = "fuzzing")]
pub(crate) use schedule::due_times;
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
    runs: Vec<BoxFuture<'static, ()>>,
    desk: Option<Arc<Desk>>,
}

/// What runs `functions`, one future for each that has a schedule or a queue. They end with the host.
///
/// # Errors
///
/// [`HostError::InvalidSchedule`].
pub(crate) fn prepare(
    functions: &BoundFunctions,
    desk: &Arc<Desk>,
    news: &News,
    options: &HostOptions,
) -> Result<Vec<BoxFuture<'static, ()>>, HostError> {
    let mut runs: Vec<BoxFuture<'static, ()>> = Vec::new();
    for bound in &functions.0 {
        match bound.trigger {
            Trigger::Timer(trigger) => {
                let timer = Timer {
                    desk: Arc::clone(desk),
                    cron: Cron::parse(bound, trigger.schedule, desk.clock.now())?,
                    call: bound.call.clone(),
                    run: trigger.run,
                };
                runs.push(Box::pin(timer.run()));
            }
            Trigger::Queue(trigger) => {
                let consumer = Consumer::new(desk, bound, &trigger, (news, options));
                runs.push(Box::pin(consumer.run()));
            }
            Trigger::None => {}
            #[cfg(feature = "http")]
            Trigger::Http(_) => {}
        }
    }
    Ok(runs)
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
        let Setting {
            storage,
            worker,
            news,
            options,
            ..
        } = *setting;
        let desk = Arc::new(Desk::new(storage, worker, options.lease_duration, &stops));
        let runs = prepare(functions, &desk, news, options)?;
        let desk = (!runs.is_empty()).then_some(desk);
        let prepared = Prepared { runs, desk };
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
        for run in prepared.runs {
            tasks.push(runtime.spawn(run));
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
