//! Async blocks, whose own awaits are checked, are durable tasks.
use std::time::Duration;

use durable_runtime::BoxedTask;
use durable_runtime::prelude::*;

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

#[orchestrator]
async fn in_place(ctx: OrchestrationContext) -> Result<u32> {
    let attempt: Result<u32> = async {
        let square = ctx.call_activity::<square>(3u32).await?;
        Ok(ctx.call_activity::<square>(square).await?)
    }
    .await;
    Ok(attempt.unwrap_or_default())
}

#[orchestrator]
async fn concurrent(ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<u32> {
    let ctx = &ctx;
    let squares = numbers.into_iter().map(|number| async move {
        ctx.sleep(Duration::from_secs(1)).await;
        Ok(ctx.call_activity::<square>(number).await?)
    });
    let squares = when_all(squares).await;
    Ok(squares
        .map_err(|error: durable_runtime::TaskFailed| error)?
        .into_iter()
        .sum())
}

#[orchestrator]
async fn in_combinators(ctx: OrchestrationContext) -> Result<u32> {
    let slow = async {
        ctx.sleep(Duration::from_secs(60)).await;
        1u32
    };
    let (slow, fast) = join!(slow, async { 2 });
    let ctx = &ctx;
    let first = select! {
        number = async { ctx.call_activity::<square>(slow).await } => number?,
        number = async move {
            ctx.sleep(Duration::from_secs(5)).await;
            fast
        } => number,
    };
    Ok(first)
}

#[orchestrator]
async fn boxed(ctx: OrchestrationContext) -> Result<u32> {
    let mut tasks: Vec<BoxedTask<'_, u32>> = vec![Box::pin(async { 1 })];
    tasks.push(Box::pin(async {
        ctx.sleep(Duration::from_secs(60)).await;
        2
    }));
    let (_, first, rest) = when_any(tasks).await;
    let (_, second, _) = when_any(rest).await;
    Ok(first + second)
}

#[orchestrator]
async fn moved(ctx: OrchestrationContext) -> Result<u32> {
    let waiting = {
        let ctx = ctx.clone();
        async move {
            ctx.sleep(Duration::from_secs(1)).await;
            7
        }
    };
    Ok(waiting.await)
}

fn main() {}
