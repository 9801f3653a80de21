//! What runs while the process is killed. Every run of an activity leaves a line in the journal, and
//! a number of its own in the output, so that it can be told which run's result was taken.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_runtime::Orchestrator as _;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bank::transfers;

/// A file to which activities append.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    path: PathBuf,
    /// Where [`flaky()`] counts its attempts, in a file for each instance.
    attempts: PathBuf,
}

impl Journal {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            attempts: path.with_extension("attempts"),
            path,
        }
    }

    /// Counts one more attempt of `instance`, and returns how many there were.
    fn attempt(&self, instance: &str) -> std::io::Result<usize> {
        std::fs::create_dir_all(&self.attempts)?;
        let file = Self::new(self.attempts.join(instance));
        file.append("attempt")?;
        Ok(file.read().lines().count())
    }

    /// Nobody asks any more.
    pub(crate) fn forget_attempts(&self, instance: &str) {
        // There are none of most instances.
        let _ = std::fs::remove_file(self.attempts.join(instance));
    }

    /// Appends a line, whole or not at all.
    pub(crate) fn append(&self, line: &str) -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        file.write_all(format!("{line}\n").as_bytes())
    }

    /// One that keeps nothing, for a run without an end. What activities need themselves is kept in
    /// `directory`.
    pub(crate) fn nowhere(directory: &Path) -> Self {
        Self {
            path: "/dev/null".into(),
            attempts: directory.join("attempts"),
        }
    }

    /// Has `line` in place of all that there is, at once.
    pub(crate) fn replace(&self, line: &str) -> std::io::Result<()> {
        let next = self.path.with_extension("next");
        std::fs::write(&next, format!("{line}\n"))?;
        std::fs::rename(next, &self.path)
    }

    pub(crate) fn read(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// The file for which [`gated()`] waits.
    fn gate(&self) -> PathBuf {
        self.path.with_extension("gate")
    }
}

/// What one run of an activity returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) instance: String,
    pub(crate) task: u64,
    pub(crate) value: u64,
    /// Differs for every run.
    pub(crate) nonce: Uuid,
}

/// What an orchestration returns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The same, whatever happens to the process.
    pub(crate) value: u64,
    pub(crate) receipts: Vec<Receipt>,
}

impl Outcome {
    pub(crate) fn add(&mut self, receipt: Receipt) {
        self.value = mix(self.value, receipt.value);
        self.receipts.push(receipt);
    }

    fn absorb(&mut self, other: Outcome) {
        self.value = mix(self.value, other.value);
        self.receipts.extend(other.receipts);
    }
}

/// Depends on the order.
fn mix(a: u64, b: u64) -> u64 {
    (a * 31 + b * 7 + 1) % 1_000_003
}

fn run(ctx: &ActivityContext, journal: &Journal, value: u64) -> std::io::Result<Receipt> {
    let receipt = Receipt {
        instance: ctx.instance_id().to_owned(),
        task: ctx.task_id(),
        value: mix(value, 5),
        nonce: Uuid::new_v4(),
    };
    let Receipt { task, nonce, .. } = &receipt;
    journal.append(&format!("{}/{task}/{nonce}", receipt.instance))?;
    Ok(receipt)
}

#[activity]
pub(crate) async fn step(
    ctx: ActivityContext,
    State(journal): State<Journal>,
    value: u64,
) -> Result<Receipt> {
    Ok(run(&ctx, &journal, value)?)
}

#[activity]
fn blocking_step(
    ctx: ActivityContext,
    State(journal): State<Journal>,
    value: u64,
) -> Result<Receipt> {
    Ok(run(&ctx, &journal, value)?)
}

/// Fails until it was run three times for its instance.
#[activity]
async fn flaky(
    ctx: ActivityContext,
    State(journal): State<Journal>,
    value: u64,
) -> Result<Receipt> {
    let receipt = run(&ctx, &journal, value)?;
    if journal.attempt(ctx.instance_id())? < 3 {
        return Err(Error::msg("not yet"));
    }
    Ok(receipt)
}

/// Runs until the gate is there.
#[activity]
async fn gated(
    ctx: ActivityContext,
    State(journal): State<Journal>,
    value: u64,
) -> Result<Receipt> {
    let receipt = run(&ctx, &journal, value)?;
    let mut look = tokio::time::interval(Duration::from_millis(5));
    while !journal.gate().exists() {
        look.tick().await;
    }
    Ok(receipt)
}

/// Takes the process down with it.
#[activity]
async fn abort_process(
    ctx: ActivityContext,
    State(journal): State<Journal>,
    value: u64,
) -> Result<Receipt> {
    run(&ctx, &journal, value)?;
    std::process::abort()
}

/// Started by an order.
#[orchestrator]
pub(crate) async fn ordered(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    outcome.add(ctx.call_activity::<step>(seed).await?);
    Ok(outcome)
}

#[orchestrator]
async fn chain(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for _ in 0..5 {
        let input = outcome.value + seed;
        outcome.add(ctx.call_activity::<step>(input).await?);
        outcome.add(ctx.call_activity::<blocking_step>(input).await?);
    }
    Ok(outcome)
}

#[orchestrator]
async fn fan_out(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for _ in 0..2 {
        let calls = (0..8).map(|n| ctx.call_activity::<step>(seed + n));
        for receipt in when_all(calls).await? {
            outcome.add(receipt);
        }
    }
    Ok(outcome)
}

#[orchestrator]
async fn timers(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for milliseconds in [1, 20, 40] {
        let began = ctx.current_utc_datetime();
        // One that is cancelled when the other is due.
        let late = ctx.sleep(Duration::from_secs(3600)).start();
        ctx.sleep(Duration::from_millis(milliseconds)).await;
        drop(late);
        if (ctx.current_utc_datetime() - began).num_milliseconds() < milliseconds.cast_signed() {
            return Err(Error::msg("the timer was early"));
        }
        outcome.add(ctx.call_activity::<step>(seed + milliseconds).await?);
    }
    Ok(outcome)
}

/// How many events [`events()`] and [`generations()`] wait for: `go-0`, `go-1`, ...
pub(crate) const EVENTS: u64 = 4;

#[orchestrator]
async fn events(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for number in 0..EVENTS {
        let name = format!("go-{number}");
        let value: u64 = ctx.wait_for_external_event(&name).await?;
        outcome.add(ctx.call_activity::<step>(seed + value).await?);
    }
    Ok(outcome)
}

/// One generation for every event; events that come early are carried over.
#[orchestrator]
async fn generations(
    ctx: OrchestrationContext,
    (seed, number, mut outcome): (u64, u64, Outcome),
) -> Result<Outcome> {
    if number == EVENTS {
        return Ok(outcome);
    }
    let name = format!("go-{number}");
    let value: u64 = ctx.wait_for_external_event(&name).await?;
    outcome.add(ctx.call_activity::<step>(seed + value).await?);
    ctx.continue_as_new((seed, number + 1, outcome))
}

#[orchestrator]
async fn retries(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let policy = RetryPolicy::new(4, Duration::from_millis(5)).backoff(2.0);
    let call = ctx.call_activity::<flaky>(seed).retry(policy);
    outcome.add(call.await?);
    Ok(outcome)
}

#[orchestrator]
async fn family(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let calls = (0..3).map(|n| ctx.call_sub_orchestrator::<chain>(seed + n));
    for child in when_all(calls).await? {
        outcome.absorb(child);
    }
    // What one instance sends another arrives in order: the start before the events.
    let id = format!("{}-listener", ctx.instance_id());
    let listener = ctx.call_sub_orchestrator::<events>(seed);
    let listener = listener.instance_id(&id).start();
    for number in 0..EVENTS {
        ctx.send_event(&id, &format!("go-{number}"), number);
    }
    outcome.absorb(listener.await?);
    Ok(outcome)
}

/// Counts what it is told, so that what is lost or done twice shows.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tally {
    count: u64,
}

#[entity]
impl Tally {
    fn add(&mut self, amount: u64) -> u64 {
        self.count += amount;
        self.count
    }

    async fn add_later(&mut self, amount: u64) -> u64 {
        tokio::task::yield_now().await;
        self.count += amount;
        self.count
    }

    /// Has another entity count as well.
    fn pass_on(&mut self, ctx: EntityContext) {
        self.count += 1;
        ctx.signal::<Tally>("mirror").add(1);
    }
}

/// Calls an entity of its own, and signals one that all instances share.
#[orchestrator]
async fn tally(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let own = ctx.entity::<Tally>(ctx.instance_id());
    for number in 0..4 {
        let at_once = own.add(number).await?;
        let later = own.add_later(seed).await?;
        outcome.value = mix(mix(outcome.value, at_once), later);
        ctx.signal::<Tally>("total").pass_on();
    }
    Ok(outcome)
}

/// Talks to an entity, most often in another partition, so many times. Returns where the two disagree.
#[orchestrator]
async fn conversation(ctx: OrchestrationContext, turns: u64) -> Result<Option<(u64, u64)>> {
    let other = ctx.entity::<Tally>(ctx.instance_id());
    for turn in 1..=turns {
        let counted = other.add(1).await?;
        if counted != turn {
            return Ok(Some((turn, counted)));
        }
    }
    Ok(None)
}

/// How many [`Room`]s there are, for all instances.
const ROOMS: u64 = 3;

/// An entity that has at most one guest.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Room {
    guest: Option<String>,
}

#[entity]
impl Room {
    fn enter(&mut self, guest: String) -> Result<()> {
        if let Some(other) = self.guest.replace(guest) {
            return Err(Error::msg(format!("{other} is still in the room")));
        }
        Ok(())
    }

    fn leave(&mut self, guest: String) -> Result<()> {
        if self.guest.take().as_ref() != Some(&guest) {
            return Err(Error::msg(format!("{guest} is not in the room")));
        }
        Ok(())
    }
}

/// Goes into two rooms at a time, which others want to go into as well.
#[orchestrator]
async fn locks(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let name = ctx.instance_id().to_owned();
    let begin = name.bytes().map(u64::from).sum::<u64>();
    let key = |number: u64| (number % ROOMS).to_string();
    for round in begin..begin + 3 {
        let keys = [key(round + 1), key(round)];
        let guard = ctx
            .lock(keys.each_ref().map(|key| Room::id(key.as_str())))
            .await?;
        for key in &keys {
            guard
                .entity::<Room>(key.as_str())
                .enter(name.clone())
                .await?;
        }
        outcome.add(ctx.call_activity::<step>(outcome.value + seed).await?);
        for key in &keys {
            guard
                .entity::<Room>(key.as_str())
                .leave(name.clone())
                .await?;
        }
    }
    Ok(outcome)
}

#[orchestrator]
async fn behind_the_gate(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    outcome.add(ctx.call_activity::<gated>(seed).await?);
    outcome.add(ctx.call_activity::<step>(seed).await?);
    Ok(outcome)
}

/// Returns the failure's type.
#[orchestrator]
async fn fatal(ctx: OrchestrationContext, seed: u64) -> Result<String> {
    match ctx.call_activity::<abort_process>(seed).await {
        Ok(_) => Ok("survived".to_owned()),
        Err(failure) => Ok(failure.error_type().to_owned()),
    }
}

/// Takes its time, so that it runs when something else ends the process.
#[activity]
async fn take_time(_seed: u64) -> Result<String> {
    let time = tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>());
    // It is the time that was wanted.
    let _ = time.await;
    Ok("done".to_owned())
}

/// Returns what its activity does, or the failure's type.
#[orchestrator]
async fn innocent(ctx: OrchestrationContext, seed: u64) -> Result<String> {
    match ctx.call_activity::<take_time>(seed).await {
        Ok(done) => Ok(done),
        Err(failure) => Ok(failure.error_type().to_owned()),
    }
}

/// How an instance is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Chain,
    FanOut,
    Timers,
    Events,
    Generations,
    Retries,
    Family,
    Tally,
    Locks,
    Transfers,
    Ordered,
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::Chain,
        Self::FanOut,
        Self::Timers,
        Self::Events,
        Self::Generations,
        Self::Retries,
        Self::Family,
        Self::Tally,
        Self::Locks,
        Self::Transfers,
        Self::Ordered,
    ];

    /// Also how the ids of its instances begin.
    pub(crate) fn orchestrator(self) -> &'static str {
        match self {
            Self::Chain => chain::NAME,
            Self::FanOut => fan_out::NAME,
            Self::Timers => timers::NAME,
            Self::Events => events::NAME,
            Self::Generations => generations::NAME,
            Self::Retries => retries::NAME,
            Self::Family => family::NAME,
            Self::Tally => tally::NAME,
            Self::Locks => locks::NAME,
            Self::Transfers => transfers::NAME,
            Self::Ordered => ordered::NAME,
        }
    }

    /// Whether its instances wait for [`EVENTS`] from outside.
    pub(crate) fn wants_events(self) -> bool {
        matches!(self, Self::Events | Self::Generations)
    }
}
