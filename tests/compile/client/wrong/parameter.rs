//! A client as the second binding of an orchestrator.
use durable_runtime::prelude::*;

#[orchestrator]
async fn parent(_ctx: OrchestrationContext, client: DurableClient) -> Result<()> {
    drop(client);
    Ok(())
}

fn main() {}
