//! What is let through without a reason: one error, and none for the clock.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism(clock)]
    let _start = std::time::Instant::now();
    Ok(())
}

fn main() {}
