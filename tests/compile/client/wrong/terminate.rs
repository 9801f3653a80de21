//! A method of the client with a name that others may have: its type tells.
use durable_runtime::prelude::*;

fn client() -> DurableClient {
    unimplemented!()
}

#[orchestrator]
async fn stop(_ctx: OrchestrationContext, id: String) -> Result<()> {
    client().terminate(&id, "no longer wanted").await?;
    Ok(())
}

fn main() {}
