//! An await in the condition of a `while`.
use durable_runtime::prelude::*;
use std::time::Duration;

async fn is_ready(_job: u64) -> bool {
    true
}

#[orchestrator]
async fn watch(ctx: OrchestrationContext, job: u64) -> Result<()> {
    while !is_ready(job).await {
        ctx.sleep(Duration::from_secs(60)).await;
    }
    Ok(())
}

fn main() {}
