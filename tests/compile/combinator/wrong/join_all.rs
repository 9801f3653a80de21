//! The `join_all` of `futures`.
use durable_runtime::prelude::*;
use futures_util::future;

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

#[orchestrator]
async fn squares(ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<usize> {
    let tasks = numbers
        .into_iter()
        .map(|number| ctx.call_activity::<square>(number));
    Ok(future::join_all(tasks).await.len())
}

fn main() {}
