//! An orchestrator with an ABI of its own.
use durable_runtime::prelude::*;

#[orchestrator]
async extern "C" fn store(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
