//! A thread that waits.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(_ctx: OrchestrationContext) -> Result<()> {
    std::thread::park();
    Ok(())
}

fn main() {}
