//! A task that is given to others.
use durable_runtime::prelude::*;

#[orchestrator]
async fn polite(_ctx: OrchestrationContext) -> Result<()> {
    tokio::task::yield_now().await;
    Ok(())
}

fn main() {}
