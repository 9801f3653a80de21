//! The hosts of a hub and their clients, and whose turn it is.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::faults::{Fate, Faults};
use super::hub::FailingHub;
use super::link::Line;
use super::process::{Part, Plan, Process, Turn};
use super::time::Timekeeper;
use super::trace::Trace;
use super::witness::Witness;
use crate::client::{DurableClient, LocalHost};
use crate::clock::simulated::{self, Simulated};
use crate::context::States;
use crate::host::HostOptions;
use crate::model::{InboxMessage, PartitionId, TaskHubName};
use crate::registry::Registry;
use crate::storage::{HubOptions, HubStorage, Memory, StorageError, StorageProvider};
use crate::testing::dice::Dice;

/// What a cluster is.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Decides everything that is left open.
    pub seed: u64,
    /// How many hosts there are.
    pub hosts: usize,
    /// How many partitions the hub has.
    pub partitions: u32,
    /// How the hosts behave.
    pub host: HostOptions,
    /// What goes wrong.
    pub faults: Faults,
    /// Whether what happens is printed, line by line.
    pub trace: bool,
    /// After so much simulated time it has to be done.
    pub limit: Duration,
    /// After so many rounds, in each of which all have their turns, it goes round in circles.
    pub most_rounds: u64,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was not as it should be; nothing, if all was.
    pub violations: Vec<String>,
    /// A number that two runs have in common if they were the same, step by step.
    pub digest: u64,
    /// In how many rounds all had their turns.
    pub rounds: u64,
    /// How many commits have succeeded.
    pub commits: u64,
    /// How many activities were run again.
    pub repeated_activities: u64,
    /// How many hosts have crashed.
    pub crashes: u64,
    /// How many have stood still for a while.
    pub pauses: u64,
    /// How many have been shut down in good order.
    pub shutdowns: u64,
    /// How much simulated time has passed.
    pub elapsed: Duration,
}

/// Hosts with one hub, in the present thread.
pub struct Cluster {
    options: ClusterOptions,
    plan: Plan,
    memory: Memory,
    hub: TaskHubName,
    fate: Arc<Fate>,
    witness: Witness,
    time: Timekeeper,
    hosts: Vec<Host>,
    tasks: Vec<JoinHandle<()>>,
    /// Where clients run.
    runtime: Runtime,
    /// For how many rounds nobody has had anything to do.
    idle: u32,
    /// Opened by hosts that have crashed, of which nobody knows yet that they are gone.
    graveyard: Vec<Arc<dyn HubStorage>>,
    crashes: u64,
    pauses: u64,
    shutdowns: u64,
    /// The last, for nothing is to be dropped without it.
    _clock: Simulated,
}

/// A place for a host.
#[derive(Debug)]
struct Host {
    line: Arc<Line>,
    /// The process that runs now, and what it has opened.
    process: Option<(Process, Arc<dyn HubStorage>)>,
    /// How many there were.
    lives: u64,
    /// It does nothing before this time.
    idle_until: Duration,
}

/// So many deltas of a partition may be on their way into storage. Memory would not hold any number of them.
const FAR_AHEAD: u64 = 2_000;
/// So long after the last fault, at most, messages are dealt with.
const WIND_UP: Duration = Duration::from_secs(120);
/// Time passes in steps of no more than this.
const LONGEST_STEP: Duration = Duration::from_millis(500);

impl Cluster {
    /// A cluster of the functions that are linked into the program. `states` is asked for what the hosts
    /// inject, once the clock and the witness are there.
    ///
    /// # Errors
    ///
    /// What is wrong with the functions, or why there is no async runtime.
    pub fn new(
        options: ClusterOptions,
        inject: impl FnOnce(Inject<'_>),
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let clock = simulated::begin();
        let (witness, time) = (Witness::default(), Timekeeper::default());
        let mut states = States::default();
        states.insert(witness.clone());
        states.insert(time.clone());
        inject(Inject(&mut states));
        let mut registry = Registry::default();
        for registration in Registry::discovered() {
            registry.add(registration)?;
        }
        let memory = Memory::new();
        let hub = TaskHubName::new("Simulated")?;
        let fate = Arc::new(Fate::new(
            options.seed,
            options.faults,
            Trace::new(options.trace),
        ));
        let hosts = (0..options.hosts.max(1)).map(|_| Host {
            line: Arc::new(Line::new(&fate, &time)),
            process: None,
            lives: 0,
            idle_until: Duration::ZERO,
        });
        Ok(Self {
            plan: Plan {
                registry: Arc::new(registry),
                states: Arc::new(states),
                options: options.host.clone(),
            },
            hosts: hosts.collect(),
            options,
            memory,
            hub,
            fate,
            witness,
            time,
            tasks: Vec::new(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()?,
            idle: 0,
            graveyard: Vec::new(),
            crashes: 0,
            pauses: 0,
            shutdowns: 0,
            _clock: clock,
        })
    }

    /// A client in the process of the host with this number, from 0 on. It goes on when the host crashes.
    ///
    /// # Errors
    ///
    /// What storage says.
    pub fn client(&self, host: usize) -> Result<DurableClient, StorageError> {
        let number = host % self.hosts.len();
        let storage = self.open(format!("client{number}"))?;
        let line: Arc<dyn LocalHost> = Arc::clone(&self.hosts[number].line) as _;
        let limit = self.plan.options.max_payload_bytes;
        Ok(DurableClient::new(
            self.hub.clone(),
            storage,
            Some(line),
            limit,
        ))
    }

    /// The clock.
    pub fn time(&self) -> Timekeeper {
        self.time.clone()
    }

    /// Who sees what becomes durable.
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }

    /// The run is over when all tasks are. One that panics is a violation.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + 'static + Send) {
        self.tasks.push(self.runtime.spawn(task));
    }

    /// Runs until all tasks have ended, or something is not as it should be.
    pub fn run(mut self) -> Outcome {
        let mut violations = Vec::new();
        let mut rounds = 0_u64;
        while !self.has_ended() && violations.is_empty() {
            if simulated::passed() > Some(self.options.limit) {
                violations.push(self.standstill());
                break;
            }
            rounds += 1;
            if rounds > self.options.most_rounds {
                violations.push(self.goes_round());
                break;
            }
            violations = self.round();
        }
        if violations.is_empty() {
            violations = self.wind_up();
        }
        if violations.is_empty() {
            for task in std::mem::take(&mut self.tasks) {
                if let Err(error) = self.runtime.block_on(task) {
                    violations.push(why(error));
                }
            }
            self.witness.check_histories(&self.plan.registry);
            violations.extend(self.witness.violations());
        }
        Outcome {
            violations,
            digest: self.fate.trace.digest(),
            rounds,
            commits: self.witness.commits(),
            repeated_activities: self.witness.repeated_activities(),
            crashes: self.crashes,
            pauses: self.pauses,
            shutdowns: self.shutdowns,
            elapsed: self.time.elapsed(),
        }
    }

    /// Lets all have a turn, and time pass. Returns what is not as it should be.
    fn round(&mut self) -> Vec<String> {
        self.idle = if self.sweep() { 0 } else { self.idle + 1 };
        let mut violations = self.witness.violations();
        violations.extend(self.failures());
        self.pass(self.idle > 2);
        violations
    }

    /// Goes on without faults until no message waits any more. Returns what is not as it should be.
    fn wind_up(&mut self) -> Vec<String> {
        self.fate.relent();
        let until = self.time.elapsed() + WIND_UP;
        loop {
            let waiting = match self.messages() {
                Ok(waiting) if waiting.is_empty() => return Vec::new(),
                Ok(waiting) => waiting,
                Err(error) => return vec![format!("the inboxes cannot be read: {error}")],
            };
            if self.time.elapsed() > until {
                return vec![format!("nobody takes {waiting:?}")];
            }
            let violations = self.round();
            if !violations.is_empty() {
                return violations;
            }
        }
    }

    /// All that wait in inboxes.
    fn messages(&self) -> Result<Vec<InboxMessage>, StorageError> {
        let partitions: Vec<_> = (0..self.options.partitions).map(PartitionId).collect();
        self.open_in_memory()?.inbox(&partitions)
    }

    fn has_ended(&self) -> bool {
        self.tasks.iter().all(JoinHandle::is_finished)
    }

    /// Gives all a turn, in some order. Returns whether any of them had something to do.
    fn sweep(&mut self) -> bool {
        let mut turns: Vec<_> = (0..self.hosts.len())
            .flat_map(|host| Part::ALL.map(|part| (host, Some(part))))
            .chain([(0, None)])
            .collect();
        let mut progress = false;
        while !turns.is_empty() {
            let place = self.fate.with_dice(|dice| dice.place(turns.len()));
            match turns.swap_remove(place) {
                (host, Some(part)) if !self.fate.delays() => progress |= self.turn(host, part),
                (_, Some(_)) => {}
                (_, None) => self.run_clients(),
            }
        }
        progress
    }

    fn run_clients(&mut self) {
        const TURNS: usize = 3;
        self.runtime.block_on(async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        });
    }

    fn turn(&mut self, number: usize, part: Part) -> bool {
        let now = self.time.elapsed();
        let host = &mut self.hosts[number];
        if host.idle_until > now {
            return false;
        }
        let Some((process, _)) = &mut host.process else {
            return self.start(number);
        };
        let turn = process.turn(part, now);
        match turn {
            Turn::Ended => {
                self.fate
                    .trace
                    .say(process.name(), format_args!("has ended"));
                self.bury(number);
            }
            // Most of what happens is a step of a commit, or shows in the next one.
            Turn::Progress if self.fate.with_dice(|dice| dice.below(8)) > 0 => {}
            Turn::Progress | Turn::Critical => self.disturb(number),
            Turn::Idle => {}
        }
        turn != Turn::Idle
    }

    /// Lets something happen to a host, or not.
    fn disturb(&mut self, number: usize) {
        let now = self.time.elapsed();
        let host = &mut self.hosts[number];
        let Some((process, _)) = &mut host.process else {
            return;
        };
        if self.fate.crashes() {
            self.crash(number);
        } else if let Some(duration) = self.fate.pauses() {
            let paused = format_args!("stands still for {duration:?}");
            self.fate.trace.say(process.name(), paused);
            host.idle_until = now + duration;
            self.pauses += 1;
        } else if self.fate.shuts_down() {
            process.stop(now);
            self.shutdowns += 1;
        }
    }

    fn start(&mut self, number: usize) -> bool {
        let host = &self.hosts[number];
        let name = format!("host{number}.{}", host.lives + 1);
        let started = self.open(name.clone()).and_then(|storage| {
            let process = Process::start(name.clone(), &storage, &self.plan, &self.fate)?;
            Ok((process, storage))
        });
        let host = &mut self.hosts[number];
        host.lives += 1;
        match started {
            Ok((mut process, storage)) => {
                self.fate.trace.say(&name, format_args!("has started"));
                host.line.connect(process.take_link());
                host.process = Some((process, storage));
            }
            // Its leases run out, or are free at once: whoever had the hub open is gone.
            Err(error) => {
                self.fate
                    .trace
                    .say(&name, format_args!("does not start: {error}"));
                host.idle_until = self.time.elapsed() + Duration::from_secs(1);
            }
        }
        true
    }

    fn crash(&mut self, number: usize) {
        let is_noticed = self.fate.with_dice(Dice::coin);
        let host = &self.hosts[number];
        if let Some((process, storage)) = &host.process {
            let noticed = if is_noticed {
                "and is known to be gone"
            } else {
                self.graveyard.push(Arc::clone(storage));
                "unnoticed"
            };
            self.fate
                .trace
                .say(process.name(), format_args!("crashes, {noticed}"));
            self.crashes += 1;
        }
        self.bury(number);
    }

    /// The process is gone, and another one will be started.
    fn bury(&mut self, number: usize) {
        let millis = self.fate.with_dice(|dice| dice.below(20_000));
        let host = &mut self.hosts[number];
        host.line.connect(None);
        host.process = None;
        host.idle_until = self.time.elapsed() + Duration::from_millis(millis);
    }

    fn open(&self, who: String) -> Result<Arc<dyn HubStorage>, StorageError> {
        Ok(Arc::new(FailingHub {
            hub: self.open_in_memory()?,
            fate: Arc::clone(&self.fate),
            witness: self.witness.clone(),
            who,
        }))
    }

    /// The hub as it is, without faults.
    fn open_in_memory(&self) -> Result<Arc<dyn HubStorage>, StorageError> {
        let options = HubOptions {
            partition_count: self.options.partitions,
        };
        self.memory.open_hub(&self.hub, &options)
    }

    /// Lets time pass: a moment, or as long as nothing happens.
    fn pass(&mut self, is_idle: bool) {
        let moment = Duration::from_micros(self.fate.with_dice(|dice| dice.below(3_000)));
        let step = if is_idle {
            self.until_next().clamp(moment, LONGEST_STEP)
        } else {
            moment
        };
        simulated::pass(step);
        self.time.ring();
    }

    fn until_next(&self) -> Duration {
        let now = self.time.elapsed();
        let running = self.hosts.iter().filter(|host| host.idle_until <= now);
        let due = running.filter_map(|host| Some(host.process.as_ref()?.0.next_due()));
        let idle = self.hosts.iter().map(|host| host.idle_until);
        let idle = idle.filter(|until| *until > now);
        let waits = idle
            .chain(self.time.next())
            .map(|time| time.saturating_sub(now));
        due.chain(waits).min().unwrap_or(LONGEST_STEP)
    }

    fn failures(&self) -> impl Iterator<Item = String> {
        self.hosts.iter().filter_map(|host| {
            let (process, _) = host.process.as_ref()?;
            let (name, ahead) = (process.name(), process.runs_ahead());
            if ahead > FAR_AHEAD {
                return Some(format!("{name} is {ahead} deltas ahead of storage"));
            }
            let failure = process.failure()?;
            Some(format!("{name} has stopped: {failure}"))
        })
    }

    fn standstill(&self) -> String {
        format!("after {:?} {}", self.options.limit, self.what_waits())
    }

    fn goes_round(&self) -> String {
        let (rounds, elapsed) = (self.options.most_rounds, self.time.elapsed());
        let what_waits = self.what_waits();
        format!("after {rounds} rounds, which have taken {elapsed:?}, {what_waits}")
    }

    fn what_waits(&self) -> String {
        let waiting = self.tasks.iter().filter(|task| !task.is_finished());
        let (waiting, all) = (waiting.count(), self.tasks.len());
        format!("{waiting} of {all} tasks have not ended")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for host in &mut self.hosts {
            host.line.connect(None);
            host.process = None;
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What hosts inject into activities and entities.
#[derive(Debug)]
pub struct Inject<'a>(&'a mut States);

impl Inject<'_> {
    /// A value for all functions that take a [`State<T>`](crate::State).
    pub fn state<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.insert(value);
    }
}

fn why(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            text.unwrap_or("a task has panicked").to_owned()
        }
        Err(error) => error.to_string(),
    }
}
