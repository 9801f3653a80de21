//! An orchestration that is started by a client.
use durable_runtime::prelude::*;

#[orchestrator]
async fn child(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn client() -> DurableClient {
    unimplemented!()
}

#[orchestrator]
async fn parent(_ctx: OrchestrationContext) -> Result<()> {
    client().start_new::<child>(()).await?;
    Ok(())
}

fn main() {}
