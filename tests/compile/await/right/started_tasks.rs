//! Tasks that are started, kept in variables and collections, and awaited later.
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{ActivityCall, Timer};

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

#[orchestrator]
async fn squares(ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<u32> {
    let timer: Timer = ctx.sleep(Duration::from_secs(1)).start();
    let mut tasks: VecDeque<ActivityCall<u32>> = numbers
        .iter()
        .map(|&number| ctx.call_activity::<square>(number).start())
        .collect();
    let by_name = BTreeMap::from([("seven", ctx.call_activity::<square>(7u32))]);
    let mut sum = 0;
    while let Some(task) = tasks.pop_front() {
        sum += task.await?;
    }
    for (_, task) in by_name {
        sum += task.await?;
    }
    timer.await;
    Ok(sum)
}

fn main() {}
