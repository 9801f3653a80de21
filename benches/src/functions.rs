//! The orchestrators that are measured. They do nothing else than what is to be measured, and return
//! what tells whether all of it was done.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// The activities that [`sequence()`] calls.
pub(crate) const SEQUENCE_STEPS: u32 = 5;

#[activity]
pub(crate) async fn add_one(number: u64) -> Result<u64> {
    Ok(number + 1)
}

/// Returns its input at once.
#[orchestrator]
pub(crate) async fn trivial(_ctx: OrchestrationContext, number: u64) -> Result<u64> {
    Ok(number)
}

/// How long the activity of [`slow()`] takes.
pub(crate) const TAKES: Duration = Duration::from_millis(10);

static SLOW_ONES: AtomicU32 = AtomicU32::new(0);

/// How many activities of [`slow()`] have been carried out in this process.
pub(crate) fn slow_ones_done() -> u32 {
    SLOW_ONES.load(Ordering::Relaxed)
}

#[activity]
pub(crate) async fn take_time(number: u64) -> Result<u64> {
    tokio::time::sleep(TAKES).await;
    SLOW_ONES.fetch_add(1, Ordering::Relaxed);
    Ok(number)
}

/// Calls one activity, which takes its time.
#[orchestrator]
pub(crate) async fn slow(ctx: OrchestrationContext, number: u64) -> Result<u64> {
    Ok(ctx.call_activity::<take_time>(number).await?)
}

/// Calls an activity several times, one after the other.
#[orchestrator]
pub(crate) async fn sequence(ctx: OrchestrationContext, first: u64) -> Result<u64> {
    let mut number = first;
    for _ in 0..SEQUENCE_STEPS {
        number = ctx.call_activity::<add_one>(number).await?;
    }
    Ok(number)
}

/// Calls an activity `steps` times, one after the other.
#[orchestrator]
pub(crate) async fn long(ctx: OrchestrationContext, steps: u64) -> Result<u64> {
    let mut number = 0;
    for _ in 0..steps {
        number = ctx.call_activity::<add_one>(number).await?;
    }
    Ok(number)
}

/// Calls an activity for each number below `width` at the same time, and adds up the results.
#[orchestrator]
pub(crate) async fn fan_out(ctx: OrchestrationContext, width: u64) -> Result<u64> {
    let calls = (0..width).map(|number| ctx.call_activity::<add_one>(number));
    let numbers = when_all(calls).await?;
    Ok(numbers.iter().sum())
}

/// Sleeps until `time`.
#[orchestrator]
pub(crate) async fn sleep_until(ctx: OrchestrationContext, time: DateTime<Utc>) -> Result<()> {
    ctx.create_timer(time).await;
    Ok(())
}

/// Whether [`pass()`] lets anyone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Closed,
    Open,
}

/// When [`pass()`] was first begun in this process.
pub(crate) static FIRST_PASS: OnceLock<Instant> = OnceLock::new();

/// Returns its input, where the gate is open, and nowhere else ever.
#[activity]
pub(crate) async fn pass(gate: State<Gate>, number: u64) -> Result<u64> {
    FIRST_PASS.get_or_init(Instant::now);
    match *gate {
        Gate::Open => Ok(number),
        Gate::Closed => std::future::pending().await,
    }
}

/// Gets its input back from an activity.
#[orchestrator]
pub(crate) async fn go_through(ctx: OrchestrationContext, number: u64) -> Result<u64> {
    Ok(ctx.call_activity::<pass>(number).await?)
}

/// Waits for the event `go` and returns what comes with it.
#[orchestrator]
pub(crate) async fn wait_for_go(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.wait_for_external_event::<u64>("go").await?)
}

/// Has a child for each number below `children`, all at the same time, and adds up their results.
#[orchestrator]
pub(crate) async fn parent(ctx: OrchestrationContext, children: u64) -> Result<u64> {
    let calls = (0..children).map(|number| ctx.call_sub_orchestrator::<child>(number));
    let numbers = when_all(calls).await?;
    Ok(numbers.iter().sum())
}

#[orchestrator]
pub(crate) async fn child(ctx: OrchestrationContext, number: u64) -> Result<u64> {
    Ok(ctx.call_activity::<add_one>(number).await?)
}

/// What [`fan_out()`] and [`parent()`] return: the sum of the numbers from 1 to `width`.
pub(crate) fn sum_to(width: u64) -> u64 {
    width * (width + 1) / 2
}

/// What the workloads of entities count with.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: i64) -> i64 {
        self.value += amount;
        self.value
    }

    fn subtract(&mut self, amount: i64) {
        self.value -= amount;
    }
}

/// Calls an entity `calls` times, one after the other.
#[orchestrator]
pub(crate) async fn call_entity(ctx: OrchestrationContext, calls: i64) -> Result<i64> {
    let counter = ctx.entity::<Counter>(ctx.instance_id());
    let mut value = 0;
    for _ in 0..calls {
        value = counter.add(1).await?;
    }
    Ok(value)
}

/// Moves one from an entity to another one, with both locked.
#[orchestrator]
pub(crate) async fn transfer(
    ctx: OrchestrationContext,
    (from, to): (String, String),
) -> Result<i64> {
    let guard = ctx
        .lock([Counter::id(from.as_str()), Counter::id(to.as_str())])
        .await?;
    guard.entity::<Counter>(from).subtract(1).await?;
    Ok(guard.entity::<Counter>(to).add(1).await?)
}
