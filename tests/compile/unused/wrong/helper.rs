//! What a `#[deterministic]` function returns, and an async block, unawaited.
#![deny(unused_must_use)]

use durable_runtime::prelude::*;

#[deterministic]
async fn wait(ctx: &OrchestrationContext) {
    ctx.sleep(std::time::Duration::from_secs(1)).await;
}

#[orchestrator]
async fn parent(ctx: OrchestrationContext) -> Result<()> {
    wait(&ctx);
    async {
        ctx.sleep(std::time::Duration::from_secs(1)).await;
    };
    Ok(())
}

fn main() {}
