//! A state in an orchestrator.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(_ctx: OrchestrationContext, State(_greeting): State<String>) -> Result<()> {
    Ok(())
}

fn main() {}
