//! One seed: what clients do while the hosts do what they do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use durable_runtime::client::{ClientError, OnExisting};
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::simulation::{Cluster, ClusterOptions, Faults, Outcome, Timekeeper, Witness};

use super::generator::Generator;
use super::interpreter::{
    Account, Carried, Delayed, Workshop, account, interpret, talk_to_oneself,
};
use super::program::{ACCOUNTS, Event, Model, Step};
use super::victim::{Fate, Victim};

/// How a seed is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// Whether what happens is printed.
    pub trace: bool,
    /// Whether nothing goes wrong.
    pub without_faults: bool,
}

/// By then all is done, though everything goes wrong at first.
const LIMIT: Duration = Duration::from_secs(1_800);
/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(240);
/// No seed needs a tenth of these.
const MOST_ROUNDS: u64 = 300_000;
/// How many words somebody says, if there is one who talks.
const WORDS: u32 = 12_000;

/// Runs a seed. Gives what was not as it should be, and what has happened.
///
/// # Panics
///
/// If the cluster does not start, which is a mistake in this program.
pub fn run(options: Options) -> Outcome {
    let mut generator = Generator::new(options.seed);
    let count = 1 + usize::try_from(options.seed % 4).unwrap_or_default();
    let programs: Vec<_> = (0..count).map(|_| generator.program()).collect();
    let workshop = Workshop::default();
    let mut cluster = Cluster::new(cluster_options(options), |mut inject| {
        inject.state(workshop.clone());
    })
    .expect("the functions of this program can be registered");
    let mut model = Model::default();
    let done = Arc::new(Mutex::new(0_usize));
    for (number, steps) in programs.into_iter().enumerate() {
        if options.trace {
            println!("program of root-{number}: {steps:#?}");
        }
        let wanted = model.run(&steps);
        let events = std::mem::take(&mut model.events);
        let root = Root {
            id: format!("root-{number}"),
            client: cluster.client(number).expect("a hub in memory opens"),
            time: cluster.time(),
            witness: cluster.witness(),
            workshop: workshop.clone(),
            is_done: Arc::default(),
        };
        for event in events {
            cluster.spawn(root.clone().raise(event));
        }
        if (options.seed + number as u64).is_multiple_of(3) {
            cluster.spawn(root.clone().suspend_for_a_while(options.seed % 40));
        }
        let done = Arc::clone(&done);
        cluster.spawn(async move {
            root.carry_out(steps, wanted).await;
            root.is_done.store(true, Ordering::Relaxed);
            *done.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        });
    }
    if is_talkative(options.seed) {
        let client = cluster.client(0).expect("a hub in memory opens");
        let talker = Talker {
            client,
            time: cluster.time(),
            witness: cluster.witness(),
        };
        cluster.spawn(talker.talk());
    }
    for number in 0..usize::try_from(options.seed % 3).unwrap_or_default() {
        let fate = Fate::new(&mut generator, options.seed.wrapping_add(number as u64));
        if options.trace {
            println!("fate of victim-{number}: {fate:#?}");
        }
        let victim = Victim {
            id: format!("victim-{number}"),
            client: cluster.client(number).expect("a hub in memory opens"),
            time: cluster.time(),
            witness: cluster.witness(),
            may_stay: Arc::default(),
            is_over: Arc::default(),
        };
        cluster.spawn(victim.clone().resume_until_over());
        cluster.spawn(async move {
            let is_over = Arc::clone(&victim.is_over);
            victim.live(fate).await;
            is_over.store(true, Ordering::Relaxed);
        });
    }
    let bank = Bank {
        client: cluster.client(0).expect("a hub in memory opens"),
        time: cluster.time(),
        witness: cluster.witness(),
    };
    for number in 0..ACCOUNTS {
        let wanted = model.balances.get(&number).copied().unwrap_or_default();
        let (bank, done) = (bank.clone(), Arc::clone(&done));
        cluster.spawn(async move {
            let marks = bank.mark(number, options.seed % 7).await;
            while *done.lock().unwrap_or_else(PoisonError::into_inner) < count {
                bank.time.sleep(Duration::from_secs(1)).await;
            }
            bank.audit(number, wanted, marks).await;
        });
    }
    cluster.run()
}

/// Whether there is one who talks, while storage does not listen for many seconds.
fn is_talkative(seed: u64) -> bool {
    seed % 64 == 9
}

fn cluster_options(options: Options) -> ClusterOptions {
    let seed = options.seed;
    // Each in some combination with each other.
    let mut rates = fastrand::Rng::with_seed(!seed);
    let mut one_in = |often: u64, seldom: u64| match rates.u32(..4) {
        0 => 0,
        1 => seldom,
        _ => rates.u64(often..seldom),
    };
    let mut faults = Faults {
        crash: one_in(10, 200),
        pause: one_in(10, 200),
        shutdown: one_in(20, 300),
        failure: one_in(8, 200),
        outage: one_in(300, 3_000),
        slowness: one_in(15, 200),
        lost_acknowledgement: one_in(4, 60),
        delay: 2 + seed % 4,
        change_of_threads: one_in(4, 100),
        // An activity is given up when it was run ten times.
        at_most: 9,
        until: TROUBLE,
    };
    if is_talkative(seed) {
        faults.slowness = 4;
    }
    ClusterOptions {
        seed,
        hosts: 2 + usize::try_from(seed % 2).unwrap_or_default(),
        partitions: 4,
        host: HostOptions {
            max_concurrent_activities: 1 + usize::try_from(seed % 5).unwrap_or_default(),
            max_cached_instances: usize::try_from(seed % 3).unwrap_or_default() * 4,
            max_entity_operation_batch_size: 1 + usize::try_from(seed % 4).unwrap_or_default(),
            lease_duration: Duration::from_secs(10),
            replay_check: true,
            ..HostOptions::default()
        },
        faults: if options.without_faults {
            Faults::NONE
        } else {
            faults
        },
        trace: options.trace,
        limit: LIMIT,
        most_rounds: MOST_ROUNDS,
    }
}

/// Who starts an orchestration and waits for its end.
#[derive(Debug, Clone)]
struct Root {
    id: String,
    client: DurableClient,
    time: Timekeeper,
    witness: Witness,
    workshop: Workshop,
    is_done: Arc<AtomicBool>,
}

impl Root {
    async fn carry_out(&self, steps: Vec<Step>, wanted: Vec<i64>) {
        let carried = Carried {
            root: self.id.clone(),
            steps,
            ..Carried::default()
        };
        let run = loop {
            let start = self.client.start_new::<interpret>(carried.clone());
            let start = start
                .instance_id(self.id.as_str())
                .on_existing(OnExisting::Ignore);
            match start.await {
                Ok(run) => break run,
                Err(error) => self.retry(&error).await,
            }
        };
        loop {
            match run.output().await {
                Ok(output) if output == wanted => return,
                Ok(output) => {
                    let id = &self.id;
                    self.witness.complain(format!(
                        "{id} has returned {output:?} in place of {wanted:?}"
                    ));
                    return;
                }
                Err(ClientError::Failed(failure)) if failure.to_string().contains("broken") => {
                    self.workshop.mend(&self.id);
                    self.rewind().await;
                    // Without an owner it waits in the inbox, and the instance has failed until then.
                    self.time.sleep(Duration::from_secs(1)).await;
                }
                Err(error) => self.retry(&error).await,
            }
        }
    }

    /// Until it is known to run again.
    async fn rewind(&self) {
        loop {
            match self.client.rewind(self.id.as_str(), "mended").await {
                Ok(()) | Err(ClientError::NotRunning { .. }) => return,
                Err(error) => self.retry(&error).await,
            }
        }
    }

    async fn raise(self, event: Event) {
        self.time.sleep(Duration::from_millis(event.millis)).await;
        let mut attempts = 0;
        loop {
            let raised =
                self.client
                    .raise_event(self.id.as_str(), event.name.as_str(), event.value);
            match raised.await {
                Ok(()) => return,
                // An attempt of which nothing was known has come through.
                Err(ClientError::NotRunning { .. }) if attempts > 0 => return,
                Err(error) => self.retry(&error).await,
            }
            attempts += 1;
        }
    }

    /// An instance that is suspended takes no step and loses nothing.
    async fn suspend_for_a_while(self, seconds: u64) {
        self.time.sleep(Duration::from_secs(seconds)).await;
        // Whether it comes before the end of the instance is open, as is whether it comes at all.
        let _ = self.client.suspend(self.id.as_str(), "wait").await;
        while !self.is_done.load(Ordering::Relaxed) {
            self.time.sleep(Duration::from_secs(7)).await;
            // Again and again: what was asked for before may come later.
            let _ = self.client.resume(self.id.as_str(), "go on").await;
        }
    }

    async fn retry(&self, error: &ClientError) {
        if !is_passing(error) {
            self.witness
                .complain(format!("a client of {} was told: {error}", self.id));
        }
        self.time.sleep(Duration::from_millis(300)).await;
    }
}

/// How much later a signal is to come.
fn delay(mark: u64) -> Duration {
    const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(15);
    if mark.is_multiple_of(2) {
        Duration::ZERO
    } else {
        LONGER_THAN_A_LEASE
    }
}

pub(super) fn is_passing(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Busy { .. } | ClientError::Storage(_) | ClientError::InstanceNotFound { .. }
    )
}

/// Who starts an orchestration that runs ahead of storage.
#[derive(Debug)]
struct Talker {
    client: DurableClient,
    time: Timekeeper,
    witness: Witness,
}

impl Talker {
    async fn talk(self) {
        loop {
            let start = self.client.start_new::<talk_to_oneself>(WORDS);
            let start = start.instance_id("talker").on_existing(OnExisting::Ignore);
            let told = match start.await {
                Ok(run) => run.output().await,
                Err(error) => Err(error),
            };
            match told {
                Ok(0) => return,
                Ok(left) => {
                    let what = format!("with {left} words left another one was heard");
                    return self.witness.complain(what);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return self.witness.complain(format!("who talks: {error}")),
            }
            self.time.sleep(Duration::from_millis(300)).await;
        }
    }
}

/// Who sends signals to accounts, and looks at them in the end.
#[derive(Debug, Clone)]
struct Bank {
    client: DurableClient,
    time: Timekeeper,
    witness: Witness,
}

/// What a client knows of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It was accepted at the first attempt.
    Once,
    /// It was accepted after attempts of which nothing is known.
    AtLeastOnce,
}

impl Bank {
    async fn mark(&self, number: usize, count: u64) -> Vec<Told> {
        let mut told = Vec::new();
        for mark in 0..count {
            let mut answer = Told::Once;
            loop {
                let account = self.client.signal::<Account>(account(number));
                let not_before = self.time.now() + delay(mark);
                let delayed = Delayed {
                    what: mark,
                    not_before,
                };
                match account.at(not_before).mark(delayed).await {
                    Ok(()) => break,
                    Err(error) if is_passing(&error) => answer = Told::AtLeastOnce,
                    Err(error) => self.witness.complain(format!("a signal: {error}")),
                }
                self.time.sleep(Duration::from_millis(300)).await;
            }
            told.push(answer);
            self.time.sleep(Duration::from_secs(2)).await;
        }
        told
    }

    /// The balance comes to what is wanted, and stays.
    async fn audit(&self, number: usize, wanted: i64, told: Vec<Told>) {
        const LONG_AFTER: Duration = Duration::from_secs(60);
        let mut balance = None;
        for _ in 0..240 {
            balance = self.read(number).await;
            let marks = balance.as_ref().map_or(0, |account| account.marks.len());
            let is_there = balance.as_ref().map_or(0, |account| account.balance) == wanted;
            if is_there && marks == told.len() {
                break;
            }
            self.time.sleep(Duration::from_secs(1)).await;
        }
        self.time.sleep(LONG_AFTER).await;
        let last = self.read(number).await.unwrap_or_default();
        let before = balance.unwrap_or_default();
        if before.balance != wanted || last.balance != wanted {
            self.witness.complain(format!(
                "account {number} has {} and then {} in place of {wanted}",
                before.balance, last.balance
            ));
        }
        for disorder in &last.disorder {
            self.witness.complain(disorder);
        }
        for (mark, told) in (0..).zip(told) {
            let came = last.marks.get(&mark).copied().unwrap_or_default();
            if came == 0 || came > 1 && told == Told::Once {
                self.witness.complain(format!(
                    "signal {mark} to account {number} came {came} times, but its client was told {told:?}"
                ));
            }
        }
    }

    async fn read(&self, number: usize) -> Option<Account> {
        loop {
            let state = self.client.read_entity_state(Account::id(account(number)));
            match state.await {
                Ok(state) => return state,
                Err(_) => self.time.sleep(Duration::from_millis(300)).await,
            }
        }
    }
}
