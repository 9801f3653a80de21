//! A reason that says nothing.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism(clock, reason = " ")]
    let _start = std::time::Instant::now();
    Ok(())
}

fn main() {}
