//! A client where the context is expected.
use durable_runtime::prelude::*;

#[orchestrator]
async fn start(client: DurableClient) -> Result<()> {
    drop(client);
    Ok(())
}

fn main() {}
