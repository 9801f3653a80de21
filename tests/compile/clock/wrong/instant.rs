//! The clock of the standard library, in full.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    let _start = std::time::Instant::now();
    Ok(())
}

fn main() {}
