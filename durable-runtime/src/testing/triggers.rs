//! Client functions that their triggers run, in virtual time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;

use super::TestHostError;
use crate::clock::Clock;
use crate::context::States;
use crate::host::triggers::{BoundFunctions, Desk, News, prepare};
use crate::host::{HostError, HostOptions, check_states};
use crate::model::WorkerId;
use crate::registry::Registry;
use crate::registry::client_function::Trigger;
use crate::storage::HubStorage;

/// So many runs of client functions begin in one life of a host, so that a schedule of every second does not
/// keep a test from coming to its end.
pub(super) const MAX_RUNS: u64 = 50_000;

/// Which client functions are run by their triggers.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) all: bool,
    pub(super) names: BTreeSet<&'static str>,
}

impl Wanted {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }

    /// Looks whether there is something that runs each of them, and all that they take.
    ///
    /// # Errors
    ///
    /// [`TestHostError::ClientFunction`].
    pub(super) fn check(&self, registry: &Registry, given: &States) -> Result<(), TestHostError> {
        for (registration, function) in registry.client_functions() {
            let is_triggered = matches!(function.trigger, Trigger::Timer(_) | Trigger::Queue(_));
            if self.names.contains(registration.name) && !is_triggered {
                let (name, place) = (registration.name, registration.location);
                return Err(TestHostError::ClientFunction {
                    message: format!(
                        "client function {name:?} at {place} has neither a schedule nor a queue: the test \
                         calls it, by itself or through `host.router()`"
                    ),
                });
            }
            if is_triggered && self.contains(registration.name) {
                check_states(registration, function.states, given)?;
            }
        }
        Ok(())
    }
}

/// What runs client functions in a test.
pub(super) struct Triggers {
    /// Those that are run.
    pub(super) functions: BoundFunctions,
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) news: Arc<News>,
    pub(super) clock: Clock,
    pub(super) running: Option<Running>,
}

/// What runs in one life of the host.
pub(super) struct Running {
    worker: WorkerId,
    desk: Arc<Desk>,
    tasks: Vec<AbortHandle>,
}

impl fmt::Debug for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Triggers")
            .field("functions", &self.functions)
            .finish_non_exhaustive()
    }
}

impl Triggers {
    /// Runs the functions from now on.
    ///
    /// # Errors
    ///
    /// [`HostError::InvalidSchedule`].
    pub(super) fn start(&mut self, life: u64) -> Result<(), HostError> {
        let worker = WorkerId(format!("test-host-{life}-triggers"));
        let desk = Arc::new(Desk::of_test(&self.storage, &worker, self.clock, MAX_RUNS));
        let options = HostOptions::default();
        let runs = prepare(&self.functions, &desk, &self.news, &options)?;
        let tasks = runs.into_iter().map(|run| tokio::spawn(run).abort_handle());
        self.running = Some(Running {
            worker,
            desk,
            tasks: tasks.collect(),
        });
        Ok(())
    }

    /// Everything that runs is gone, and what it had is free.
    pub(super) fn crash(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        for task in running.tasks {
            task.abort();
        }
        // A lease that ends now.
        let freed = self.storage.renew_triggers(&running.worker, Duration::ZERO);
        if let Err(error) = freed {
            tracing::warn!(%error, "what client functions of a test were working on is not done again");
        }
    }

    /// Whether no more runs begin because there were too many.
    pub(super) fn are_worn_out(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| running.desk.is_worn_out())
    }
}

impl Drop for Triggers {
    fn drop(&mut self) {
        self.crash();
    }
}
