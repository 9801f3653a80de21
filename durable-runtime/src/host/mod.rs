//! Running orchestrations and activities in a process. The only place that owns threads, a clock
//! and an async runtime.

mod activities;
mod builder;
mod clock;
mod committer;
mod error;
mod keeper;
mod loader;
mod local;
mod options;
mod router;
mod state;
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
/// Dropping it without [`shutdown`](Self::shutdown) is like a crash: nothing that was acknowledged is
/// lost, and what was under way goes on when a host is started again.
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
    committer: JoinHandle<()>,
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
            let end = Ending {
                router: Arc::clone(&self.router),
                handover: Arc::clone(&self.handover),
                state: Arc::clone(&self.state),
                storage: Arc::clone(&self.storage),
                worker: self.worker.clone(),
            };
            let ended = tokio::task::spawn_blocking(move || end.run(threads));
            ended.await.map_err(|error| HostError::System {
                action: "stopping the host's threads",
                message: error.to_string(),
            })??;
        }
        match self.state.failure() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// What is needed to stop the threads.
struct Ending {
    router: Arc<Router>,
    handover: Arc<Handover>,
    state: Arc<HostState>,
    storage: Arc<dyn HubStorage>,
    worker: WorkerId,
}

impl Ending {
    fn run(self, threads: Threads) -> Result<(), HostError> {
        self.router.stop_threads();
        let mut sound = true;
        for partition in threads.partitions {
            sound &= partition.join().is_ok();
        }
        self.handover.stop();
        sound &= threads.committer.join().is_ok();
        self.state.abandon();
        sound &= threads.keeper.join().is_ok();
        sound &= threads.loader.join().is_ok();
        self.storage.release(&self.worker)?;
        if sound {
            Ok(())
        } else {
            Err(HostError::System {
                action: "stopping the host's threads",
                message: "one of them has panicked".to_owned(),
            })
        }
    }
}

impl Drop for DurableHost {
    fn drop(&mut self) {
        self.executor.stop();
        self.state.abandon();
        self.router.stop_threads();
        self.handover.stop();
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
