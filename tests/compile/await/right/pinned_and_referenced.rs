//! Tasks by reference, in pins and in boxes.
use std::pin::pin;
use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn by_reference(ctx: OrchestrationContext) -> Result<bool> {
    let mut approval = ctx.wait_for_external_event::<bool>("approval");
    for _ in 0..3 {
        select! {
            approved = &mut approval => return Ok(approved?),
            () = ctx.sleep(Duration::from_secs(60)) => tracing::info!("still waiting"),
        }
    }
    let approved = (&mut approval).await?;
    Ok(approved)
}

#[orchestrator]
async fn pinned(ctx: OrchestrationContext) -> Result<u32> {
    let mut task = pin!(async {
        ctx.sleep(Duration::from_secs(60)).await;
        1
    });
    select! {
        number = task.as_mut() => return Ok(number),
        () = ctx.sleep(Duration::from_secs(1)) => {}
    }
    Ok(task.await)
}

#[orchestrator]
async fn boxed(ctx: OrchestrationContext) -> Result<()> {
    let timer = Box::new(ctx.sleep(Duration::from_secs(1)));
    timer.await;
    Box::pin(ctx.sleep(Duration::from_secs(1))).await;
    Ok(())
}

fn main() {}
