//! The threads of a host, and what they share.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::runtime::Handle;

use super::HostError;
use super::activities::Executor;
use super::busy::Busy;
use super::committer::{Committer, Handover, Outcome};
use super::crew::Crew;
use super::keeper::Keeper;
use super::loader::{LoadRequest, Loader};
use super::router::{Router, ThreadInput};
use super::state::HostState;
use super::triggers::News;
use super::watchers::Watchers;
use super::worker::{Ended, Worker, WorkerSetup};
use crate::storage::HubStorage;

/// All of them, running.
#[derive(Debug)]
pub(super) struct Threads {
    pub(super) partitions: Arc<Crew<Box<Worker>>>,
    pub(super) committer: JoinHandle<Outcome>,
    pub(super) loader: JoinHandle<()>,
    pub(super) keeper: JoinHandle<()>,
}

/// What the threads of a host share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) router: Arc<Router>,
    pub(super) state: Arc<HostState>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) handover: Arc<Handover>,
    pub(super) news: Arc<News>,
}

impl Shared {
    /// Starts all threads. The host has what it can get of its hub when this returns.
    pub(super) fn spawn_all(
        &self,
        inputs: Vec<Receiver<ThreadInput>>,
        busy: Vec<Arc<Busy>>,
        executor: &Executor,
        runtime: &Handle,
        mut keeper: Keeper,
    ) -> Result<Threads, HostError> {
        let (loads, requests) = channel();
        let committer = Arc::new(Committer {
            handover: Arc::clone(&self.handover),
            storage: Arc::clone(&self.storage),
            router: Arc::clone(&self.router),
            state: Arc::clone(&self.state),
        });
        let partitions = Arc::new(Crew::new(runtime.clone()));
        self.spawn_partitions(inputs, busy, &loads, executor, &committer, &partitions)?;
        drop(loads);
        let (committer, loader) = self.spawn_storage(requests, committer)?;
        let watch = keeper.start().inspect_err(|_| {
            self.state.abandon();
            self.router.stop_threads();
            self.handover.stop();
        })?;
        let keeper = self.spawn("durable-leases".to_owned(), move || {
            keeper.run(watch);
        })?;
        Ok(Threads {
            partitions,
            committer,
            loader,
            keeper,
        })
    }

    /// Nobody waits for the end of these threads, for an activity may keep one of them for good: the crew says
    /// when what they work with has ended.
    fn spawn_partitions(
        &self,
        inputs: Vec<Receiver<ThreadInput>>,
        busy: Vec<Arc<Busy>>,
        loads: &Sender<LoadRequest>,
        executor: &Executor,
        committer: &Arc<Committer>,
        crew: &Arc<Crew<Box<Worker>>>,
    ) -> Result<(), HostError> {
        let workers = inputs.into_iter().zip(busy).map(|(inputs, busy)| {
            let setup = WorkerSetup {
                inputs,
                committer: Arc::clone(committer),
                loads: loads.clone(),
                executor: executor.clone(),
                busy,
                router: Arc::clone(&self.router),
                watchers: Arc::clone(&self.watchers),
                state: Arc::clone(&self.state),
            };
            Some(Box::new(setup.worker(crew.join())))
        });
        let spare = executor.lends_activities().then_some(None);
        let workers: Vec<_> = workers.chain(spare).collect();
        for (number, worker) in workers.into_iter().enumerate() {
            let crew = Arc::clone(crew);
            let run = move || serve(&crew, worker);
            self.spawn(format!("durable-partitions-{number}"), run)?;
        }
        Ok(())
    }

    fn spawn_storage(
        &self,
        requests: Receiver<LoadRequest>,
        committer: Arc<Committer>,
    ) -> Result<(JoinHandle<Outcome>, JoinHandle<()>), HostError> {
        let loader = Loader {
            requests,
            storage: Arc::clone(&self.storage),
            router: Arc::clone(&self.router),
            state: Arc::clone(&self.state),
        };
        Ok((
            self.spawn("durable-commit".to_owned(), move || committer.run())?,
            self.spawn("durable-load".to_owned(), move || loader.run())?,
        ))
    }

    fn spawn<T: Send + 'static>(
        &self,
        name: String,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, HostError> {
        let alarm = Alarm {
            state: Arc::clone(&self.state),
            router: Arc::clone(&self.router),
            watchers: Arc::clone(&self.watchers),
        };
        let run = move || {
            let _alarm = alarm;
            run()
        };
        let thread = std::thread::Builder::new().name(name).spawn(run);
        thread.map_err(|error| not_started(&error))
    }
}

/// A partition thread: goes on with `worker`, and then with any that an activity keeps from its thread.
fn serve(crew: &Crew<Box<Worker>>, worker: Option<Box<Worker>>) {
    let mut next = worker.or_else(|| crew.stand_by());
    while let Some(worker) = next {
        next = match worker.run(crew) {
            Ended::Stopped => None,
            Ended::Replaced => crew.stand_by(),
        };
    }
}

fn not_started(error: &std::io::Error) -> HostError {
    HostError::System {
        action: "starting a thread",
        message: error.to_string(),
    }
}

/// What a thread of the host leaves behind if it panics: a host that has stopped, in which nobody
/// waits for anything. It does not keep storage open, for a thread may never end.
#[derive(Debug)]
struct Alarm {
    state: Arc<HostState>,
    router: Arc<Router>,
    watchers: Arc<Watchers>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.state.fail(HostError::System {
                action: "running the host",
                message: "one of its threads has panicked".to_owned(),
            });
            self.router.disown_all();
            self.watchers.recheck_all();
        }
    }
}
