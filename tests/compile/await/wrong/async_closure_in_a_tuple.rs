//! An async closure that is not in a variable of its own: its future cannot be known.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<()> {
    let callbacks =
        (async |seconds: u64| ctx.sleep(std::time::Duration::from_secs(seconds)).await,);
    (callbacks.0)(1).await;
    Ok(())
}

fn main() {}
