//! Running orchestrations and activities in a process. The only place that owns threads, a clock
//! and an async runtime.

mod activities;
mod builder;

mod committer;
mod error;
mod keeper;
mod loader;
mod local;
mod options;
mod router;
mod state;
mod suspects;
mod watchers;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use builder::DurableHostBuilder;
pub use error::HostError;
pub use options::HostOptions;

use activities::Executor;
use committer::Handover;
use router::Router;
use state::HostState;

use crate::client::DurableClient;
use crate::model::WorkerId;
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
    threads: Mutex<Option<Threads>>,
    grace: Duration,
}

#[derive(Debug)]
struct Threads {
    partitions: Vec<JoinHandle<()>>,
    committer: JoinHandle<committer::Outcome>,
    loader: JoinHandle<()>,
    keeper: JoinHandle<()>,
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

    /// Runs until the process is told to end (Ctrl-C, SIGTERM), then shuts down.
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
        self.shutdown().await
    }

    /// Stops in good order: begins no more activities, gives the running ones time
    /// ([`HostOptions::shutdown_grace`]), makes all progress durable and gives the partitions back.
    /// Loses nothing: orchestrations go on where they are when a host is started again.
    ///
    /// # Errors
    ///
    /// If progress could not be made durable; what was not is done again by the next host.
    pub async fn shutdown(&self) -> Result<(), HostError> {
        self.executor.stop();
        if tokio::time::timeout(self.grace, self.executor.idle())
            .await
            .is_err()
        {
            tracing::warn!("activities are still running; they are run again by the next host");
        }
        let threads = self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(threads) = threads {
            let ending = self.ending(threads);
            let mut ended = tokio::task::spawn_blocking(move || ending.run());
            let patience = self.grace.max(LAST_COMMIT);
            let in_time = tokio::time::timeout(patience, &mut ended).await;
            let ended = if let Ok(ended) = in_time {
                ended
            } else {
                self.state.abandon();
                ended.await
            };
            let ended = ended.map_err(|error| HostError::System {
                action: "stopping the host's threads",
                message: error.to_string(),
            })?;
            // Why the host could not go on says more than that it did not end well.
            return ended.map_err(|error| self.state.failure().unwrap_or(error));
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
        let mut sound = true;
        for partition in threads.partitions {
            sound &= partition.join().is_ok();
        }
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
        self.executor.stop();
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
