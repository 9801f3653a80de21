//! A timer of `tokio`.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(_ctx: OrchestrationContext) -> Result<()> {
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    Ok(())
}

fn main() {}
