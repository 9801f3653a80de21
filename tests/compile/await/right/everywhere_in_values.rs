//! Tasks in tuples, arrays, options and conditions, awaited where they are needed.
use std::time::Duration;

use durable_runtime::TaskFailed;
use durable_runtime::prelude::*;

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

#[orchestrator]
async fn sum(ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<u32> {
    let pair = (ctx.call_activity::<square>(1u32), ctx.sleep(Duration::ZERO));
    let mut sum = pair.0.await?;
    pair.1.await;
    let task = numbers
        .first()
        .map(|&number| ctx.call_activity::<square>(number));
    if let Some(task) = task {
        sum += task
            .await
            .unwrap_or_else(|failed| failed.message().len() as u32);
    }
    let [first, second] = [1u32, 2].map(|number| ctx.call_activity::<square>(number));
    let (first, second) = join!(first, second);
    let chosen = if sum > 1 {
        ctx.call_activity::<square>(first?)
    } else {
        ctx.call_activity::<square>(second?)
    };
    let matched = match numbers.len() {
        0 => ctx.call_activity::<square>(1u32),
        _ => ctx.call_activity::<square>(2u32),
    }
    .await?;
    Ok(sum + chosen.await? + matched)
}

#[deterministic]
async fn retried<'a, T, F>(
    ctx: &'a OrchestrationContext,
    mut make: impl FnMut(&'a OrchestrationContext) -> F,
) -> std::result::Result<T, TaskFailed>
where
    F: durable_runtime::DurableTask<Output = std::result::Result<T, TaskFailed>>,
{
    let mut attempt = 0;
    loop {
        match make(ctx).await {
            Ok(value) => return Ok(value),
            Err(_) if attempt < 3 => attempt += 1,
            Err(failed) => return Err(failed),
        }
        ctx.sleep(Duration::from_secs(1 << attempt)).await;
    }
}

#[orchestrator]
async fn with_retries(ctx: OrchestrationContext) -> Result<u32> {
    Ok(retried(&ctx, |ctx| ctx.call_activity::<square>(3u32)).await?)
}

fn main() {}
