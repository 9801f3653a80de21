//! An orchestrator that is not async.
use durable_runtime::prelude::*;

#[orchestrator]
fn hello(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
