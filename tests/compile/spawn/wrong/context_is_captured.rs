//! A context that a spawned task takes with it.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<()> {
    tokio::task::spawn_local(async move {
        ctx.sleep(std::time::Duration::from_secs(1)).await;
    });
    Ok(())
}

fn main() {}
