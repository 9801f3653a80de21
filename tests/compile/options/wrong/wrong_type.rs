//! A number where a text is expected.
use durable_runtime::prelude::*;

#[orchestrator(version = 2.0)]
async fn hello(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
