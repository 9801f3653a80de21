//! A version that is empty.
use durable_runtime::prelude::*;

#[orchestrator(version = "")]
async fn hello(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
