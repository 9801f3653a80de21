//! Closures that make tasks, async closures in variables, and closures in closures.
use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

#[orchestrator]
async fn that_makes_a_task(ctx: OrchestrationContext) -> Result<u32> {
    let call = |number: u32| ctx.call_activity::<square>(number);
    Ok(call(1).await? + call(2).await?)
}

#[orchestrator]
async fn async_closure(ctx: OrchestrationContext) -> Result<u32> {
    let twice = async |number: u32| -> Result<u32> {
        let once = ctx.call_activity::<square>(number).await?;
        Ok(ctx.call_activity::<square>(once).await?)
    };
    let moving = async move |seconds: u64| ctx_free(seconds);
    Ok(twice(1).await? + twice(2).await? + moving(3).await)
}

#[deterministic]
fn ctx_free(seconds: u64) -> u32 {
    Duration::from_secs(seconds).subsec_millis()
}

#[orchestrator]
async fn that_returns_a_block(ctx: OrchestrationContext) -> Result<u32> {
    let wait_and_call = |number: u32| {
        let ctx = ctx.clone();
        async move {
            ctx.sleep(Duration::from_secs(1)).await;
            ctx.call_activity::<square>(number).await
        }
    };
    let tasks = (1..4).map(|number| wait_and_call(number));
    Ok(when_all(tasks).await?.iter().sum())
}

#[orchestrator]
async fn nested(ctx: OrchestrationContext, rows: Vec<Vec<u32>>) -> Result<u32> {
    let tasks = rows.iter().map(|row| {
        when_all(
            row.iter()
                .map(|&number| ctx.call_activity::<square>(number)),
        )
    });
    Ok(when_all(tasks).await?.into_iter().flatten().sum())
}

fn main() {}
