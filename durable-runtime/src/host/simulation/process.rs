//! One host of a cluster: its threads, each of which has its turns when it is told.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Runtime;

use super::faults::Fate;
use crate::context::States;
use crate::host::HostOptions;
use crate::host::activities::Executor;
use crate::host::busy::Busy;
use crate::host::committer::{Committer, Group, Handover, Settled};
use crate::host::crew::Crew;
use crate::host::keeper::{Keeper, LastTimes};
use crate::host::loader::{LoadRequest, Loader};
use crate::host::local::LocalLink;
use crate::host::router::{Router, ThreadInput};
use crate::host::state::HostState;
use crate::host::triggers::News;
use crate::host::watchers::Watchers;
use crate::host::worker::{Round, Worker, WorkerSetup};
use crate::model::{Epoch, PartitionId, WorkerId};
use crate::partition::PartitionConfig;
use crate::registry::Registry;
use crate::storage::{HubStorage, StorageError, Watch};
use crate::testing::dice::Dice;

/// How many threads of a host run orchestrators.
const THREADS: usize = 2;
/// A thread waits no longer than this before it looks for what is due.
const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// What all hosts of a cluster have in common.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) registry: Arc<Registry>,
    pub(super) states: Arc<States>,
    pub(super) options: HostOptions,
}

/// A host.
pub(super) struct Process {
    name: String,
    threads: Vec<Thread>,
    stage: Stage,
    executor: Executor,
    committer: Arc<Committer>,
    commit: Commit,
    loader: Loader,
    keeper: Keeper,
    last: LastTimes,
    watch: Box<dyn Watch>,
    state: Arc<HostState>,
    local: Option<LocalLink>,
    /// Where its activities run.
    runtime: Runtime,
    fate: Arc<Fate>,
}

/// A thread that runs orchestrators.
#[derive(Debug)]
struct Thread {
    worker: Worker,
    stage: ThreadStage,
    /// What it commits by itself. It does nothing else until that has come to an end.
    commit: Commit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ThreadStage {
    Running,
    Finishing,
    Ended,
}

/// How far a host has come with ending, in the order of `DurableHost::shutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    /// Activities go on until they have ended, or this time has come.
    Activities(Duration),
    Threads,
    LastCommit,
}

/// A commit, and who waits for it.
#[derive(Debug, Default)]
struct Commit {
    stage: CommitStage,
    /// Storage takes until then.
    slow_until: Duration,
}

/// How far a commit is.
#[derive(Debug, Default)]
enum CommitStage {
    #[default]
    Idle,
    Taken(Group),
    Answered(Group, Result<(), StorageError>),
}

impl Commit {
    fn is_idle(&self) -> bool {
        matches!(self.stage, CommitStage::Idle)
    }
}

/// Who of a host has a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Thread(usize),
    Committer,
    Loader,
    Keeper,
    Activities,
}

impl Part {
    pub(super) const ALL: [Self; THREADS + 4] = [
        Self::Thread(0),
        Self::Thread(1),
        Self::Committer,
        Self::Loader,
        Self::Keeper,
        Self::Activities,
    ];
}

/// What comes of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// There was nothing to do.
    Idle,
    /// Something was done.
    Progress,
    /// A commit has come to a point at which a crash is of interest.
    Critical,
    /// The host has ended in good order.
    Ended,
}

impl Process {
    /// Starts a host on a hub that it has opened.
    pub(super) fn start(
        name: String,
        storage: &Arc<dyn HubStorage>,
        plan: &Plan,
        fate: &Arc<Fate>,
    ) -> Result<Self, StorageError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| StorageError::Unavailable {
                message: error.to_string(),
            })?;
        let partition_count = storage.partition_count();
        let (router, inputs) = Router::new(THREADS, partition_count);
        let router = Arc::new(router);
        let handover = Arc::new(Handover::default());
        let state = Arc::new(HostState::default());
        let watchers = Arc::new(Watchers::default());
        let news = Arc::new(News::of(&plan.registry));
        let executor = Executor::new(
            Arc::clone(&plan.registry),
            Arc::clone(&plan.states),
            Arc::clone(&router),
            runtime.handle().clone(),
            &plan.options,
        );
        let committer = Arc::new(Committer {
            handover: Arc::clone(&handover),
            storage: Arc::clone(storage),
            router: Arc::clone(&router),
            state: Arc::clone(&state),
        });
        let (loads, requests) = channel();
        let crew = Arc::new(Crew::new(runtime.handle().clone()));
        let thread = |inputs: Receiver<ThreadInput>| {
            WorkerSetup {
                inputs,
                committer: Arc::clone(&committer),
                loads: loads.clone(),
                executor: executor.clone(),
                router: Arc::clone(&router),
                watchers: Arc::clone(&watchers),
                busy: Arc::new(Busy::default()),
                state: Arc::clone(&state),
            }
            .worker(crew.join())
        };
        let thread = |inputs| Thread {
            worker: thread(inputs),
            stage: ThreadStage::Running,
            commit: Commit::default(),
        };
        let threads = inputs.into_iter().map(thread).collect();
        let loader = loader(requests, storage, &router, &state);
        let mut keeper = Keeper {
            worker: WorkerId(name.clone()),
            storage: Arc::clone(storage),
            router: Arc::clone(&router),
            handover,
            state: Arc::clone(&state),
            lease_duration: plan.options.lease_duration,
            news: Arc::clone(&news),
            busy: Vec::new(),
            template: template(plan, partition_count),
            to_take_up: Vec::new(),
        };
        let watch = keeper.start()?;
        let backlog = executor.backlog();
        Ok(Self {
            name,
            threads,
            stage: Stage::Running,
            executor,
            committer,
            commit: Commit::default(),
            loader,
            keeper,
            last: LastTimes::new(),
            watch,
            state,
            local: Some(LocalLink {
                router,
                watchers,
                news,
                backlog,
            }),
            runtime,
            fate: Arc::clone(fate),
        })
    }

    /// The way to it for clients of the same process.
    pub(super) fn take_link(&mut self) -> Option<LocalLink> {
        self.local.take()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Why it cannot go on, if that is so.
    pub(super) fn failure(&self) -> Option<String> {
        self.state.failure().map(|failure| failure.to_string())
    }

    /// How many deltas of one partition, at most, are on their way into storage.
    pub(super) fn runs_ahead(&self) -> u64 {
        let threads = self.threads.iter();
        let ahead = threads.map(|thread| thread.worker.runs_ahead());
        ahead.max().unwrap_or_default()
    }

    /// How long until something is due in it.
    pub(super) fn next_due(&self) -> Duration {
        let running = self.threads.iter();
        let running = running
            .filter(|thread| thread.stage == ThreadStage::Running && thread.commit.is_idle());
        let threads = running.map(|thread| thread.worker.next_round());
        threads.min().unwrap_or(HOUSEKEEPING).min(HOUSEKEEPING)
    }

    /// Has it end in good order.
    pub(super) fn stop(&mut self, now: Duration) {
        const GRACE: Duration = Duration::from_secs(3);
        if self.stage == Stage::Running {
            self.say(format_args!("shuts down"));
            self.state.stop();
            self.executor.stop();
            self.stage = Stage::Activities(now + GRACE);
        }
    }

    /// Gives a part of it a turn.
    pub(super) fn turn(&mut self, part: Part, now: Duration) -> Turn {
        match part {
            Part::Thread(number) => self.run_thread(number, now),
            Part::Committer => self.commit(now),
            Part::Loader => progress(self.loader.round()),
            Part::Keeper => {
                if self.stage != Stage::Running && self.ends(now) {
                    return Turn::Ended;
                }
                let has_changed = self.watch.wait(Duration::ZERO);
                self.keeper.round(has_changed, &mut self.last);
                progress(has_changed)
            }
            Part::Activities => {
                const TURNS: usize = 3;
                self.runtime.block_on(async {
                    for _ in 0..TURNS {
                        tokio::task::yield_now().await;
                    }
                });
                Turn::Idle
            }
        }
    }

    fn run_thread(&mut self, number: usize, now: Duration) -> Turn {
        // Few at a time, so that there are many orders.
        let batch = 1 + self.fate.with_dice(|dice| dice.place(6));
        let commits = self.fate.with_dice(Dice::coin);
        let Some(thread) = self.threads.get_mut(number) else {
            return Turn::Idle;
        };
        if !thread.commit.is_idle() {
            return self.commit_little(number, now);
        }
        match thread.stage {
            ThreadStage::Running => {
                let has_work = thread.worker.next_round().is_zero();
                let turn = match thread.worker.round(batch) {
                    Round::Inputs => Turn::Progress,
                    Round::NoInputs => progress(has_work),
                    Round::Stopped => {
                        thread.worker.begin_to_finish();
                        thread.stage = ThreadStage::Finishing;
                        return Turn::Progress;
                    }
                };
                let changes_threads = self.fate.changes_threads() && thread.worker.change_threads();
                let Some(group) = thread.worker.take_commit(commits) else {
                    if changes_threads {
                        self.say(format_args!("goes on in another thread than {number}"));
                    }
                    return turn;
                };
                thread.commit.stage = CommitStage::Taken(group);
                self.slow_down(now, |process| &mut process.threads[number].commit);
                Turn::Critical
            }
            ThreadStage::Finishing => {
                if !thread.worker.finish_round() {
                    thread.stage = ThreadStage::Ended;
                }
                Turn::Progress
            }
            ThreadStage::Ended => Turn::Idle,
        }
    }

    /// Comes nearer to its end. Returns whether that is reached.
    fn ends(&mut self, now: Duration) -> bool {
        match self.stage {
            Stage::Running => {}
            Stage::Activities(until) => {
                if now >= until || self.executor.idle().now_or_never().is_some() {
                    self.keeper.router.stop_threads();
                    self.stage = Stage::Threads;
                }
            }
            Stage::Threads => {
                let mut threads = self.threads.iter();
                if threads.all(|thread| thread.stage == ThreadStage::Ended) {
                    self.keeper.handover.stop();
                    self.stage = Stage::LastCommit;
                }
            }
            Stage::LastCommit => {
                if self.commit.is_idle() && self.keeper.handover.is_empty() {
                    self.state.abandon();
                    // Otherwise the leases run out.
                    if let Err(error) = self.keeper.storage.release(&self.keeper.worker) {
                        self.say(format_args!("cannot give its leases back: {error}"));
                    }
                    return true;
                }
            }
        }
        false
    }

    /// The next step of a commit: what there is is taken, storage is asked, its answer is heard.
    fn commit(&mut self, now: Duration) -> Turn {
        if now < self.commit.slow_until {
            return Turn::Idle;
        }
        self.commit.stage = match std::mem::take(&mut self.commit.stage) {
            CommitStage::Idle => match self.committer.handover.try_take() {
                Some(group) => CommitStage::Taken(group),
                None => return Turn::Idle,
            },
            CommitStage::Taken(group) => self.store(group),
            CommitStage::Answered(group, stored) => match self.committer.settle(group, stored) {
                Settled::Again(group) => CommitStage::Taken(group),
                Settled::Done | Settled::GivenUp => CommitStage::Idle,
            },
        };
        self.slow_down(now, |process| &mut process.commit);
        Turn::Critical
    }

    /// The next step of a commit that a thread that had nothing else to do has taken upon itself.
    fn commit_little(&mut self, number: usize, now: Duration) -> Turn {
        let commit = &mut self.threads[number].commit;
        if now < commit.slow_until {
            return Turn::Idle;
        }
        let next = match std::mem::take(&mut commit.stage) {
            CommitStage::Idle => return Turn::Idle,
            CommitStage::Taken(group) => {
                self.say(format_args!("commits by thread {number}"));
                self.store(group)
            }
            CommitStage::Answered(group, stored) => {
                self.committer.settle_little(group, &stored);
                CommitStage::Idle
            }
        };
        self.threads[number].commit.stage = next;
        self.slow_down(now, |process| &mut process.threads[number].commit);
        Turn::Critical
    }

    fn store(&self, mut group: Group) -> CommitStage {
        let stored = self.committer.store(&mut group);
        CommitStage::Answered(group, stored)
    }

    /// Lets the next step of a commit wait, or not.
    fn slow_down(&mut self, now: Duration, commit: impl FnOnce(&mut Self) -> &mut Commit) {
        if let Some(duration) = self.fate.slows() {
            self.say(format_args!("waits {duration:?} for storage"));
            commit(self).slow_until = now + duration;
        }
    }

    fn say(&self, what: fmt::Arguments<'_>) {
        self.fate.trace.say(&self.name, what);
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn progress(made: bool) -> Turn {
    if made { Turn::Progress } else { Turn::Idle }
}

fn loader(
    requests: Receiver<LoadRequest>,
    storage: &Arc<dyn HubStorage>,
    router: &Arc<Router>,
    state: &Arc<HostState>,
) -> Loader {
    Loader {
        requests,
        storage: Arc::clone(storage),
        router: Arc::clone(router),
        state: Arc::clone(state),
    }
}

fn template(plan: &Plan, partition_count: u32) -> PartitionConfig {
    let options = &plan.options;
    PartitionConfig {
        id: PartitionId(0),
        epoch: Epoch(0),
        clean: true,
        partition_count,
        registry: Arc::clone(&plan.registry),
        max_payload_bytes: options.max_payload_bytes,
        max_cached_instances: options.max_cached_instances,
        idle_timeout: options.idle_timeout,
        max_activity_attempts: options.max_activity_attempts,
        replay_check: options.replay_check,
        max_entity_batch: options.max_entity_operation_batch_size,
        states: Arc::clone(&plan.states),
    }
}
