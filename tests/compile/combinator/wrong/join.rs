//! The `join!` of `tokio`.
use durable_runtime::prelude::*;

#[orchestrator]
async fn both(ctx: OrchestrationContext) -> Result<bool> {
    let (first, second) = tokio::join!(
        ctx.wait_for_external_event::<bool>("first"),
        ctx.wait_for_external_event::<bool>("second"),
    );
    Ok(first? && second?)
}

fn main() {}
