//! An unfinished `#[deterministic]` function is still there for its callers.
use durable_runtime::prelude::*;

#[deterministic]
async fn wait(ctx: &OrchestrationContext) -> Result<u32> {
    ctx.
}

#[orchestrator]
async fn caller(ctx: OrchestrationContext) -> Result<u32> {
    wait(&ctx).await
}

fn main() {}
