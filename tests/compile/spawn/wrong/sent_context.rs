//! A context that a task of `tokio` takes with it to another thread: one error, and none of the compiler.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<()> {
    tokio::spawn(async move {
        ctx.sleep(std::time::Duration::from_secs(1)).await;
    });
    Ok(())
}

fn main() {}
