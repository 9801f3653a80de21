//! Running orchestrations and activities in a process. The only place that owns threads, a clock
//! and an async runtime.

pub(crate) mod activities;
mod backlog;
mod builder;
mod busy;

mod committer;
mod conduct;
mod crew;
mod error;
mod hold_ups;
mod host_json;
#[cfg(feature = "http")]
mod http;
mod keeper;
mod loader;
mod local;
mod options;
mod router;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod state;
mod statistics;
pub(crate) mod suspects;
mod threads;
pub(crate) mod triggers;
pub(crate) mod watchers;
mod worker;

#[cfg(feature = "fuzzing")]
pub(crate) use host_json::options_of;
#[cfg(feature = "fuzzing")]
pub(crate) use triggers::due_times;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use crate::registry::version::{VersionMatch, VersionMismatch};
pub use builder::DurableHostBuilder;
#[cfg(feature = "testing")]
pub(crate) use builder::check_states;
pub use error::HostError;
pub use options::HostOptions;
pub use statistics::HostStatistics;
use tokio::sync::oneshot;

use activities::Executor;
use committer::Handover;
use router::Router;
use state::HostState;
use threads::Threads;
use triggers::Triggers;

use crate::client::DurableClient;
use crate::model::WorkerId;
use crate::registry::{Function, Register};
use crate::storage::HubStorage;

/// A running host: it owns partitions of a task hub and runs what is in them.
///
/// Dropping it without [`shutdown`](Self::shutdown) stops it in the background and without waiting for
/// activities: nothing that was acknowledged is lost, and what was under way goes on when a host is
/// started again.
#[derive(Debug)]
pub struct DurableHost {
    client: DurableClient,
    worker: WorkerId,
    storage: Arc<dyn HubStorage>,
    router: Arc<Router>,
    executor: Executor,
    handover: Arc<Handover>,
    state: Arc<HostState>,
    triggers: Triggers,
    /// Those of client functions, by name.
    clients: BTreeMap<&'static str, DurableClient>,
    /// For the HTTP server, until it runs.
    #[cfg(feature = "http")]
    other_hubs: Vec<crate::http::OtherHub>,
    #[cfg(feature = "http")]
    http_functions: axum::Router,
    threads: Mutex<Option<Threads>>,
    #[cfg(feature = "http")]
    http: http::Serving,
    grace: Duration,
}

impl DurableHost {
    /// A host to be configured and [`start`](DurableHostBuilder::start)ed.
    pub fn builder() -> DurableHostBuilder {
        DurableHostBuilder::new()
    }

    /// A client that speaks to this host.
    pub fn client(&self) -> DurableClient {
        self.client.clone()
    }

    /// What this host has made durable since it started.
    pub fn statistics(&self) -> HostStatistics {
        self.state.counters.read()
    }

    /// The client for the client function `F`, which the program calls itself: one of the hub that `F` names
    /// with `task_hub = ".."` and `connection = ".."`, or else that of the host.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// #[durable_client(task_hub = "Archive")]
    /// async fn file_away(client: DurableClient, document: String) -> Result<()> {
    ///     Ok(client.enqueue("documents", document).await?)
    /// }
    ///
    /// # async fn example(host: DurableHost) -> Result<()> {
    /// file_away(host.client_for::<file_away>(), "a letter".to_owned()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn client_for<F: Register>(&self) -> DurableClient {
        let client = match F::REGISTRATION.function {
            Function::Client(_) => self.clients.get(F::REGISTRATION.name),
            _ => None,
        };
        client.unwrap_or(&self.client).clone()
    }

    /// The routes of the client functions with an HTTP trigger, to be merged into an axum app of one's own.
    /// Once the host has been shut down they answer on with what storage says.
    ///
    /// ```no_run
    /// # use durable_runtime::prelude::*;
    /// # async fn example(host: DurableHost) -> Result<()> {
    /// let app = axum::Router::new().merge(host.http_functions());
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// axum::serve(listener, app).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "http")]
    pub fn http_functions(&self) -> axum::Router {
        self.http_functions.clone()
    }

    /// Runs until the process is told to end (Ctrl-C, SIGTERM), then shuts down. Told once more, it
    /// returns without waiting for that.
    ///
    /// # Errors
    ///
    /// What made the host stop by itself, such as storage that is damaged.
    pub async fn run_until_signal(&self) -> Result<(), HostError> {
        tokio::select! {
            signal = signal() => signal?,
            error = self.state.failed() => return Err(error),
        }
        tracing::info!("shutting down");
        tokio::select! {
            result = self.shutdown() => result,
            signal = told_again() => signal.and(Err(HostError::Interrupted)),
        }
    }

    /// Stops in good order: accepts no more HTTP requests, begins no more activities and client functions,
    /// gives the running ones time ([`HostOptions::shutdown_grace`]), makes all progress durable and gives
    /// the partitions back.
    /// Loses nothing: orchestrations go on where they are when a host is started again. What clients
    /// ask for from then on is noted in storage and waits for that host; so does a wait for the end
    /// of an orchestration. A plain `fn` activity that is still running keeps the process from
    /// ending, as it does in every tokio program.
    ///
    /// # Errors
    ///
    /// What made the host stop by itself before; [`HostError::NotDurable`] if the last progress could
    /// not be made durable in time, or an orchestrator does not return. What was not durable is done
    /// again by the next host.
    pub async fn shutdown(&self) -> Result<(), HostError> {
        self.state.stop();
        self.executor.stop();
        let activities = async {
            let idle = tokio::time::timeout(self.grace, self.executor.idle());
            if idle.await.is_err() {
                tracing::warn!("activities are still running; they are run again by the next host");
            }
        };
        #[cfg(feature = "http")]
        tokio::join!(
            activities,
            self.triggers.stop(self.grace),
            self.http.stop(self.grace)
        );
        #[cfg(not(feature = "http"))]
        tokio::join!(activities, self.triggers.stop(self.grace));
        let threads = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(threads) = threads {
            let (sender, mut ended) = oneshot::channel();
            let ending = self.ending(threads);
            // A thread of its own: the async runtime would wait for one of its pool, and an
            // orchestrator that never returns keeps the threads from ending.
            std::thread::spawn(move || sender.send(ending.run()));
            let patience = self.grace.max(LAST_COMMIT);
            let in_time = tokio::time::timeout(patience, &mut ended).await;
            let ended = if let Ok(ended) = in_time {
                ended
            } else {
                self.state.abandon();
                let given_up = tokio::time::timeout(GIVING_UP, &mut ended).await;
                given_up.unwrap_or(Ok(Err(HostError::NotDurable)))
            };
            let ended = ended.unwrap_or(Err(HostError::NotDurable));
            // Why the host could not go on says more than how it ended.
            return self.state.failure().map_or(ended, Err);
        }
        Ok(())
    }

    fn ending(&self, threads: Threads) -> Ending {
        Ending {
            router: Arc::clone(&self.router),
            handover: Arc::clone(&self.handover),
            state: Arc::clone(&self.state),
            storage: Arc::clone(&self.storage),
            worker: self.worker.clone(),
            threads,
        }
    }
}

/// How long a shutdown waits at least for storage to take the last commit.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// How long it waits for its threads once it has given up on that.
const GIVING_UP: Duration = Duration::from_secs(2);

/// What is needed to stop the threads.
#[derive(Debug)]
struct Ending {
    router: Arc<Router>,
    handover: Arc<Handover>,
    state: Arc<HostState>,
    storage: Arc<dyn HubStorage>,
    worker: WorkerId,
    threads: Threads,
}

impl Ending {
    fn run(self) -> Result<(), HostError> {
        let threads = self.threads;
        self.router.stop_threads();
        let mut sound = threads.partitions.wait_for_end();
        self.handover.stop();
        let committed = threads.committer.join();
        self.state.abandon();
        sound &= threads.keeper.join().is_ok();
        sound &= threads.loader.join().is_ok();
        match committed {
            Ok(committer::Outcome::AllCommitted) if sound => {
                Ok(self.storage.release(&self.worker)?)
            }
            Ok(committer::Outcome::GivenUp) => Err(HostError::NotDurable),
            _ => Err(HostError::System {
                action: "stopping the host's threads",
                message: "one of them has panicked".to_owned(),
            }),
        }
    }
}

impl Drop for DurableHost {
    fn drop(&mut self) {
        self.state.stop();
        self.executor.stop();
        self.triggers.abandon();
        let threads = self
            .threads
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(threads) = threads {
            let ending = self.ending(threads);
            std::thread::spawn(move || {
                if let Err(error) = ending.run() {
                    tracing::warn!(%error, "the host was dropped and did not stop in good order");
                }
            });
        }
    }
}

/// Waits to be told again. What comes in the same moment is the same: some programs tell a process and
/// then its group.
async fn told_again() -> Result<(), HostError> {
    const SAME_MOMENT: Duration = Duration::from_secs(1);
    tokio::time::sleep(SAME_MOMENT).await;
    signal().await
}

#[cfg(unix)]
async fn signal() -> Result<(), HostError> {
    use tokio::signal::unix::{SignalKind, signal};

    let failed = |error: std::io::Error| HostError::System {
        action: "listening for signals",
        message: error.to_string(),
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn signal() -> Result<(), HostError> {
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| HostError::System {
            action: "listening for Ctrl-C",
            message: error.to_string(),
        })
}
