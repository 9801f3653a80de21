//! Orchestrations that are made at random end in the same way, however often they are let go of,
//! moved or interrupted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::{Sqlite, StorageProvider};
use durable_runtime::testing::{TestHost, run_with};
use durable_runtime::{BoxedTask, when_all_settled};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Bench, LONG, double, millis, within};
use crate::virtual_time::MINUTE;

/// A part of an orchestration whose value does not depend on who is faster.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Step {
    Double(i64),
    /// Fails as often as it is tried.
    Retried(u32),
    Sleep(u64),
    /// Waits for an event, which carries its own name.
    Event(String),
    /// Waits for one that never comes.
    Missing,
    SentToItself(String),
    Child(Vec<Step>),
    InOrder(Vec<Step>),
    All(Vec<Step>),
    Settled(Vec<Step>),
    /// `when_any` until none is left; the values sorted.
    OneByOne(Vec<Step>),
    /// Against a timer that never fires and an event that never comes.
    Race(Box<Step>),
    Joined(Box<Step>, Box<Step>),
}

/// The generations of one orchestration.
type Plan = Vec<Vec<Step>>;

#[activity]
async fn always_fails() -> Result<()> {
    Err(Error::msg("always"))
}

fn sorted(values: &[Value]) -> Value {
    let mut texts: Vec<_> = values.iter().map(Value::to_string).collect();
    texts.sort();
    json!(texts)
}

impl Step {
    /// What it is to give.
    fn value(&self) -> Value {
        let values = |steps: &[Self]| steps.iter().map(Self::value).collect::<Vec<_>>();
        match self {
            Self::Double(number) => json!(number * 2),
            Self::Retried(times) => json!(["always", times]),
            Self::Sleep(_) => json!("slept"),
            Self::Event(name) | Self::SentToItself(name) => json!(name),
            Self::Missing => Value::Null,
            Self::Child(steps) | Self::InOrder(steps) | Self::All(steps) | Self::Settled(steps) => {
                json!(values(steps))
            }
            Self::OneByOne(steps) => sorted(&values(steps)),
            Self::Race(step) => step.value(),
            Self::Joined(a, b) => json!([a.value(), b.value()]),
        }
    }

    /// The events that it waits for, with the orchestration's own in front.
    fn events(&self, names: &mut Vec<String>) {
        match self {
            Self::Event(name) => names.push(name.clone()),
            Self::InOrder(steps)
            | Self::All(steps)
            | Self::Settled(steps)
            | Self::OneByOne(steps) => steps.iter().for_each(|step| step.events(names)),
            Self::Race(step) => step.events(names),
            Self::Joined(a, b) => {
                a.events(names);
                b.events(names);
            }
            _ => {}
        }
    }
}

type Running = BoxedTask<'static, Result<Value>>;

#[deterministic]
fn run(step: Step, ctx: OrchestrationContext) -> Running {
    Box::pin(async move {
        Ok(match step {
            Step::Double(number) => json!(ctx.call_activity::<double>(number).await?),
            Step::Retried(times) => retried(&ctx, times).await,
            Step::Sleep(micros) => {
                ctx.sleep(Duration::from_micros(micros)).await;
                json!("slept")
            }
            Step::Event(name) => ctx.wait_for_external_event(&name.to_uppercase()).await?,
            Step::Missing => {
                let wait = ctx.wait_for_external_event::<Value>("missing");
                json!(wait.timeout(millis(1)).await?)
            }
            Step::SentToItself(name) => {
                ctx.send_event(ctx.instance_id(), &name, &name);
                ctx.wait_for_external_event(&name).await?
            }
            Step::Child(steps) => {
                json!(ctx.call_sub_orchestrator::<steps_as_child>(steps).await?)
            }
            Step::InOrder(steps) => json!(in_order(&ctx, steps).await?),
            Step::All(steps) => json!(when_all(each(&ctx, steps)).await?),
            Step::Settled(steps) => {
                let settled = when_all_settled(each(&ctx, steps)).await;
                json!(settled.into_iter().collect::<Result<Vec<_>>>()?)
            }
            Step::OneByOne(steps) => one_by_one(&ctx, steps).await?,
            Step::Race(step) => select! {
                () = ctx.sleep(LONG) => json!("late"),
                _ = ctx.wait_for_external_event::<()>("missing") => json!("missing"),
                value = run(*step, ctx.clone()) => value?,
            },
            Step::Joined(a, b) => {
                let (a, b) = join!(run(*a, ctx.clone()), run(*b, ctx.clone()));
                json!([a?, b?])
            }
        })
    })
}

#[deterministic]
fn each(ctx: &OrchestrationContext, steps: Vec<Step>) -> Vec<Running> {
    let run_one = |step| run(step, ctx.clone());
    steps.into_iter().map(run_one).collect()
}

#[deterministic]
async fn in_order(ctx: &OrchestrationContext, steps: Vec<Step>) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    for step in steps {
        values.push(run(step, ctx.clone()).await?);
    }
    Ok(values)
}

#[deterministic]
async fn one_by_one(ctx: &OrchestrationContext, steps: Vec<Step>) -> Result<Value> {
    let mut tasks = each(ctx, steps);
    let mut values = Vec::new();
    while !tasks.is_empty() {
        let (_, value, rest) = when_any(tasks).await;
        values.push(value?);
        tasks = rest;
    }
    Ok(sorted(&values))
}

#[deterministic]
async fn retried(ctx: &OrchestrationContext, times: u32) -> Value {
    let policy = RetryPolicy::new(times, Duration::from_micros(200)).backoff(2.0);
    match ctx.call_activity::<always_fails>(()).retry(policy).await {
        Ok(()) => Value::Null,
        Err(failed) => json!([failed.message(), times]),
    }
}

#[orchestrator]
async fn steps_as_child(ctx: OrchestrationContext, steps: Vec<Step>) -> Result<Vec<Value>> {
    in_order(&ctx, steps).await
}

#[orchestrator]
async fn runs_a_plan(
    ctx: OrchestrationContext,
    (mut plan, mut values): (Plan, Vec<Value>),
) -> Result<Vec<Value>> {
    let steps = plan.remove(0);
    values.extend(in_order(&ctx, steps).await?);
    if plan.is_empty() {
        Ok(values)
    } else {
        ctx.continue_as_new((plan, values))
    }
}

/// A generator of numbers that is the same for the same seed.
struct Random {
    state: u64,
    events: u32,
}

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % limit
    }

    fn name(&mut self) -> String {
        self.events += 1;
        format!("event {}", self.events)
    }

    fn steps(&mut self, depth: u64, in_child: bool) -> Vec<Step> {
        let count = 1 + self.below(3);
        (0..count).map(|_| self.step(depth, in_child)).collect()
    }

    fn step(&mut self, depth: u64, in_child: bool) -> Step {
        let kinds = if depth == 0 { 6 } else { 13 };
        match self.below(kinds) {
            0 => Step::Double(i64::try_from(self.below(100)).unwrap_or_default()),
            1 => Step::Retried(u32::try_from(1 + self.below(3)).unwrap_or(1)),
            2 => Step::Sleep(self.below(3_000)),
            // Nobody raises events to a child.
            3 | 4 if !in_child => Step::Event(self.name()),
            3 | 5 => Step::SentToItself(self.name()),
            4 => Step::Missing,
            6 => Step::Child(self.steps(depth - 1, true)),
            7 => Step::InOrder(self.steps(depth - 1, in_child)),
            8 => Step::All(self.steps(depth - 1, in_child)),
            9 => Step::Settled(self.steps(depth - 1, in_child)),
            10 => Step::OneByOne(self.steps(depth - 1, in_child)),
            11 => Step::Race(Box::new(self.step(depth - 1, in_child))),
            _ => {
                let a = self.step(depth - 1, in_child);
                Step::Joined(Box::new(a), Box::new(self.step(depth - 1, in_child)))
            }
        }
    }

    fn plan(&mut self) -> Plan {
        let generations = 1 + self.below(3);
        let mut plan: Plan = (0..generations).map(|_| self.steps(3, false)).collect();
        // It does not end before its last event, whatever else it is made of.
        let last = Step::Event(self.name());
        plan[0].push(Step::Missing);
        plan.push(vec![last]);
        plan
    }
}

fn plans() -> Vec<Plan> {
    let plan = |seed: u64| {
        let state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Random { state, events: 0 }.plan()
    };
    (0..16).map(plan).collect()
}

/// What happens to the host between two rounds of events.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Nothing,
    Restart,
    Crash,
    /// The events arrive while the instances are suspended.
    Suspension,
}

async fn raise_all<S: StorageProvider + Clone>(
    bench: &Bench<S>,
    id: &str,
    names: impl Iterator<Item = &String>,
    suspended: bool,
) {
    let mut names = names.peekable();
    // Before its last event it cannot have ended.
    let suspended = suspended && names.peek().is_some();
    if suspended {
        within(bench.client.suspend(id, "hold")).await.unwrap();
    }
    for name in names {
        bench.raise(id, name, name.as_str()).await;
    }
    if suspended {
        within(bench.client.resume(id, "go")).await.unwrap();
    }
}

/// In how many parts the events are raised.
const ROUNDS: usize = 3;

async fn ends_as_planned<S: StorageProvider + Clone>(
    storage: S,
    options: HostOptions,
    between: Between,
) {
    let mut bench = Bench::on(storage, options).await;
    let plans = plans();
    for (number, plan) in plans.iter().enumerate() {
        let start = bench
            .client
            .start_new::<runs_a_plan>((plan.clone(), Vec::new()));
        within(start.instance_id(format!("plan-{number}")))
            .await
            .unwrap();
    }
    for round in 0..ROUNDS {
        for (number, plan) in plans.iter().enumerate() {
            let mut names = Vec::new();
            for step in plan.iter().flatten() {
                step.events(&mut names);
            }
            let share = names.len().div_ceil(ROUNDS);
            let share = names.iter().skip(round * share).take(share);
            let id = format!("plan-{number}");
            raise_all(&bench, &id, share, between == Between::Suspension).await;
        }
        bench = match between {
            Between::Nothing | Between::Suspension => bench,
            Between::Restart => bench.restart().await,
            Between::Crash => bench.crash().await,
        };
    }
    for (number, plan) in plans.iter().enumerate() {
        let id = format!("plan-{number}");
        let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
        let expected: Vec<_> = plan.iter().flatten().map(Step::value).collect();
        let ended = ended.unwrap();
        assert_eq!(
            ended.output,
            Some(json!(expected)),
            "{id}: {plan:?}: {:?}",
            ended.failure
        );
    }
}

fn memory() -> durable_runtime::storage::Memory {
    durable_runtime::storage::Memory::new()
}

// Rule 23: kept in memory all the time.
#[tokio::test]
async fn plans_end_the_same_when_live() {
    ends_as_planned(memory(), HostOptions::default(), Between::Nothing).await;
}

// Rule 23: let go of, and replayed, at every episode.
#[tokio::test]
async fn plans_end_the_same_when_evicted_at_once() {
    let options = HostOptions {
        idle_timeout: Duration::ZERO,
        ..HostOptions::default()
    };
    ends_as_planned(memory(), options, Between::Nothing).await;
}

// Rule 23: with no room, or hardly any, to keep them.
#[tokio::test]
async fn plans_end_the_same_without_room() {
    for max_cached_instances in [0, 1] {
        let options = HostOptions {
            max_cached_instances,
            partition_count: 2,
            ..HostOptions::default()
        };
        ends_as_planned(memory(), options, Between::Nothing).await;
    }
}

// Rule 23: moved to another host, in good order, several times.
#[tokio::test]
async fn plans_end_the_same_over_restarts() {
    ends_as_planned(memory(), HostOptions::default(), Between::Restart).await;
}

// Rule 23: interrupted several times.
#[tokio::test]
async fn plans_end_the_same_over_crashes() {
    let options = HostOptions {
        lease_duration: Duration::from_secs(1),
        ..HostOptions::default()
    };
    ends_as_planned(memory(), options, Between::Crash).await;
}

// Rules 7 and 23: held, and let go of meanwhile.
#[tokio::test]
async fn plans_end_the_same_when_suspended() {
    let options = HostOptions {
        idle_timeout: Duration::ZERO,
        ..HostOptions::default()
    };
    ends_as_planned(memory(), options, Between::Suspension).await;
    ends_as_planned(memory(), HostOptions::default(), Between::Suspension).await;
}

// Rule 23: the same in a file, evicted and restarted.
#[tokio::test]
async fn plans_end_the_same_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(directory.path().join("plans.db")).unwrap();
    let options = HostOptions {
        idle_timeout: Duration::ZERO,
        ..HostOptions::default()
    };
    ends_as_planned(storage, options, Between::Restart).await;
}

async fn ends_as_planned_in_virtual_time(host: TestHost) {
    let plans = plans();
    let mut runs = Vec::new();
    for plan in &plans {
        let run = host.start::<runs_a_plan>((plan.clone(), Vec::new())).await;
        let run = run.unwrap();
        let mut names = Vec::new();
        for step in plan.iter().flatten() {
            step.events(&mut names);
        }
        let share = names.len().div_ceil(ROUNDS);
        for (round, names) in (1..).zip(names.chunks(share)) {
            for name in names {
                host.raise_event_after(round * 10 * MINUTE, run.id(), name, name.clone());
            }
        }
        runs.push(run);
    }
    for (run, plan) in runs.iter().zip(plans) {
        let expected: Vec<_> = plan.iter().flatten().map(Step::value).collect();
        let output = run.output().await.unwrap();
        assert_eq!(output, expected, "{plan:?}, seed {}", host.seed());
    }
    assert!(host.elapsed() < LONG, "{:?}", host.elapsed());
}

// Rule 23: whatever comes first of what happens at one time, and with a crash after every commit.
#[test]
fn plans_end_the_same_in_any_order_and_over_every_crash() {
    for seed in 0..2 {
        let calm = TestHost::builder().seed(seed);
        let crashing = TestHost::builder().seed(seed).crash_at_every_commit();
        for host in [calm, crashing] {
            run_with(host, ends_as_planned_in_virtual_time);
        }
    }
}

/// How often the code of an instance began.
static BEGUN: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

fn begun(id: &str) -> MutexGuard<'static, BTreeMap<String, u32>> {
    let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    begun.entry(id.to_owned()).or_default();
    begun
}

fn note_begin(id: &str) {
    *begun(id).get_mut(id).expect("is there") += 1;
}

#[orchestrator]
async fn notes_its_beginnings(ctx: OrchestrationContext) -> Result<()> {
    note_begin(ctx.instance_id());
    #[allow_nondeterminism(unbounded_loop, reason = "the test ends it")]
    loop {
        ctx.wait_for_external_event::<()>("tick").await?;
    }
}

// Rule 23: the tests above mean something: an instance is replayed with those options, and is not
// without.
#[tokio::test]
async fn evicted_instances_are_replayed_and_others_are_not() {
    let live = HostOptions::default();
    let idle = HostOptions {
        idle_timeout: Duration::ZERO,
        ..HostOptions::default()
    };
    let no_room = HostOptions {
        max_cached_instances: 0,
        ..HostOptions::default()
    };
    for (options, is_replayed) in [(live, false), (idle, true), (no_room, true)] {
        let bench = Bench::unchecked(options).await;
        let run = bench.begin_run::<notes_its_beginnings>(()).await;
        let raise = async {
            for _ in 0..10 {
                bench.raise(run.id(), "tick", ()).await;
            }
            while is_replayed && begun(run.id())[run.id()] == 1 {
                bench.raise(run.id(), "tick", ()).await;
            }
        };
        within(raise).await;
        let times = begun(run.id())[run.id()];
        assert_eq!(times > 1, is_replayed, "began {times} times");
    }
}
