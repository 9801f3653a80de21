//! Configuring a test host.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::desk::Desk;
use super::dice::Dice;
use super::entity_mock::{PLAY, Theatre};
use super::host::Inner;
use super::mock::Mocks;
use super::pump::Pump;
use super::runner::Runner;
use super::simulation::{Crashes, Rounds, Simulation};
use super::time::{VirtualTime, pause};
use super::triggers::{Triggers, Wanted};
use super::{TestHost, TestHostError};
use crate::client::{DurableClient, LocalHost};
use crate::clock::Clock;
use crate::context::States;
use crate::host::HostOptions;
use crate::host::triggers::{BoundFunctions, News};
use crate::model::{Epoch, PartitionId, TaskHubName};
use crate::partition::PartitionConfig;
use crate::registry::{Function, Register, Registration, Registry};
use crate::storage::{HubOptions, Memory, StorageProvider};

/// Builds a [`TestHost`].
#[derive(Debug)]
#[must_use = "the host runs only when it is built"]
pub struct TestHostBuilder {
    states: States,
    registrations: Vec<Registration>,
    discover: bool,
    seed: Option<u64>,
    start: DateTime<Utc>,
    limit: Duration,
    replay_check: bool,
    crashes: Crashes,
    max_activity_attempts: u32,
    triggered: Wanted,
}

/// Few, so that those that are empty cost little, and more than one, so that messages go between them.
const PARTITIONS: u32 = 4;
const DAY: Duration = Duration::from_secs(86_400);

impl TestHostBuilder {
    pub(super) fn new() -> Self {
        Self {
            states: States::default(),
            registrations: Vec::new(),
            discover: true,
            seed: None,
            // The beginning of the year 2024.
            start: DateTime::from_timestamp(1_704_067_200, 0).unwrap_or_default(),
            limit: DAY * 365 * 100,
            replay_check: true,
            crashes: Crashes::Never,
            max_activity_attempts: HostOptions::default().max_activity_attempts,
            triggered: Wanted::default(),
        }
    }

    /// A value for all functions that take a [`State<T>`](crate::State). Of one type the last counts. An
    /// activity whose state is missing fails when it is called, so a mocked one needs none.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// Adds a function by hand. All functions with an attribute such as `#[activity]` that are linked into
    /// the test are found without.
    pub fn register<F: Register>(mut self) -> Self {
        self.registrations.push(F::REGISTRATION);
        self
    }

    /// Has the schedule or the queue of the client function `F` run it, in virtual time. Without this, or
    /// [`all_triggers`](Self::all_triggers), only the test runs client functions, and what is in a queue stays
    /// there to be looked at.
    ///
    /// Everything is as with a host in production: a schedule fires once per due time, a message that fails is
    /// delivered again after longer and longer delays and goes to the poison queue in the end, and a crash cuts off
    /// what runs. The client is that of the test host, whatever hub the function is bound to.
    ///
    /// After 50,000 runs of client functions no more begin.
    pub fn trigger<F: Register>(mut self) -> Self {
        self.registrations.push(F::REGISTRATION);
        self.triggered.names.insert(F::REGISTRATION.name);
        self
    }

    /// Has the schedules and queues of all client functions run them. See [`trigger`](Self::trigger).
    pub fn all_triggers(mut self) -> Self {
        self.triggered.all = true;
        self
    }

    /// Leaves out the functions that were not added with [`register`](Self::register).
    pub fn without_discovery(mut self) -> Self {
        self.discover = false;
        self
    }

    /// Has `seed` decide what real life leaves open: which of the things that happen at the same virtual time
    /// comes first, whether an orchestrator sees them together, and how long a mock takes that was given a
    /// range. Without a seed, what is due comes first, and the rest in the order in which it arrived.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The virtual time at which the host starts. Default: the beginning of 2024.
    pub fn start_time(mut self, time: DateTime<Utc>) -> Self {
        self.start = time;
        self
    }

    /// How much virtual time may pass before the host gives up, and whoever waits for the end of an
    /// orchestration gets [`ClientError::Standstill`](crate::client::ClientError::Standstill). Default: 100
    /// years.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Does not replay every episode after it ran. See [`HostOptions::replay_check`].
    pub fn without_replay_check(mut self) -> Self {
        self.replay_check = false;
        self
    }

    /// Has the host crash right after its commit with this number, counted from 1, before anything that waits
    /// for the commit happens, and start again from what is in storage.
    pub fn crash_after_commit(mut self, number: u64) -> Self {
        self.crashes = Crashes::After(number);
        self
    }

    /// Has the host crash after every commit, but for those that only note that an activity is being tried
    /// again. So every orchestrator is replayed at every step, and every activity that is under way at a
    /// commit is run again, without [becoming `Poison`](Self::max_activity_attempts).
    pub fn crash_at_every_commit(mut self) -> Self {
        self.crashes = Crashes::Always;
        self
    }

    /// How often crashes may interrupt an activity before it fails with
    /// [`Failure::POISON`](crate::Failure::POISON), at least once. See
    /// [`HostOptions::max_activity_attempts`]. Default: 10.
    pub fn max_activity_attempts(mut self, attempts: u32) -> Self {
        self.max_activity_attempts = attempts.max(1);
        self
    }

    /// Starts the host.
    ///
    /// # Errors
    ///
    /// [`TestHostError`]: two functions have one name; there is no async runtime of one thread; a client function
    /// is to be [triggered](Self::trigger) that has no trigger, or a state is missing that it takes.
    pub fn build(self) -> Result<TestHost, TestHostError> {
        pause()?;
        let time = VirtualTime::new(self.start);
        let seed = self.seed.unwrap_or_default();
        let mocks = Arc::new(Mocks::default());
        let mut registry = self.registry()?;
        registry.set_stage(Arc::clone(&mocks) as _, PLAY);
        let registry = Arc::new(registry);
        let queues = Arc::new(News::of(&registry));
        let desk = Arc::new(Desk::new(PARTITIONS, Arc::clone(&queues), seed));
        let mut states = self.states.clone();
        states.insert(Theatre {
            mocks: Arc::clone(&mocks),
            desk: Arc::clone(&desk),
        });
        let states = Arc::new(states);
        let memory = Memory::with_clock(Clock::Virtual(time));
        let hub = TaskHubName::new("TestHub").unwrap_or_else(|_| unreachable!("a valid name"));
        let options = HubOptions {
            partition_count: PARTITIONS,
        };
        // A handle of its own, which outlives crashes.
        let storage = memory.open_hub(&hub, &options)?;
        let local: Arc<dyn LocalHost> = Arc::clone(&desk) as _;
        let limit = HostOptions::default().max_payload_bytes;
        let client = DurableClient::new(hub.clone(), Arc::clone(&storage), Some(local), limit);
        self.triggered.check(&registry, &states)?;
        let mut triggers = Triggers {
            functions: BoundFunctions::of_client(&registry, &client, &states, |name, _| {
                self.triggered.contains(name)
            })?,
            storage: Arc::clone(&storage),
            news: queues,
            clock: Clock::Virtual(time),
            running: None,
        };
        triggers.start(0)?;
        let template = self.template(&registry, &states);
        let max_activity_attempts = template.max_activity_attempts;
        let mut simulation = Simulation {
            desk: Arc::clone(&desk),
            storage: memory.open_hub(&hub, &options)?,
            hub,
            runner: Runner::new(
                Arc::clone(&desk),
                Arc::clone(&registry),
                Arc::clone(&states),
                Arc::clone(&mocks),
                max_activity_attempts,
            ),
            triggers,
            template,
            crashes: self.crashes,
            // Other numbers than those of the clients' ids.
            dice: self.seed.map(|seed| Dice::new(!seed)),
            partitions: std::collections::BTreeMap::new(),
            mail: std::collections::VecDeque::new(),
            commits: 0,
            rounds: Rounds::default(),
            memory,
        };
        simulation.take_up(time.now())?;
        tokio::spawn(Pump::new(simulation, time, self.limit).run());
        Ok(TestHost::from_parts(Inner {
            client,
            storage,
            desk,
            registry,
            states,
            mocks,
            time,
            seed,
        }))
    }

    fn registry(&self) -> Result<Registry, TestHostError> {
        let mut registry = Registry::default();
        for registration in Registry::discovered() {
            // What an entity has by its interfaces goes with it, however it was registered.
            let is_part = matches!(registration.function, Function::EntityOperations(_));
            if self.discover || is_part {
                registry.add(registration)?;
            }
        }
        for registration in &self.registrations {
            registry.add(*registration)?;
        }
        Ok(registry)
    }

    fn template(&self, registry: &Arc<Registry>, states: &Arc<States>) -> PartitionConfig {
        let options = HostOptions::default();
        PartitionConfig {
            id: PartitionId(0),
            epoch: Epoch(0),
            clean: true,
            partition_count: PARTITIONS,
            registry: Arc::clone(registry),
            max_payload_bytes: options.max_payload_bytes,
            max_cached_instances: options.max_cached_instances,
            idle_timeout: options.idle_timeout,
            max_activity_attempts: match self.crashes {
                // No activity is to blame for these.
                Crashes::Always => u32::MAX,
                Crashes::Never | Crashes::After(_) => self.max_activity_attempts,
            },
            replay_check: self.replay_check,
            max_entity_batch: options.max_entity_operation_batch_size,
            states: Arc::clone(states),
        }
    }
}
