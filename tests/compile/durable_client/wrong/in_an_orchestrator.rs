//! A client function that is called by an orchestrator.
use durable_runtime::prelude::*;

#[durable_client]
async fn start(_client: DurableClient, _id: String) -> Result<()> {
    Ok(())
}

#[orchestrator]
async fn flow(ctx: OrchestrationContext) -> Result<()> {
    ctx.call_activity::<start>("a").await?;
    Ok(())
}

fn main() {}
