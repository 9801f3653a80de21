//! A function is not let through as a whole.
use durable_runtime::prelude::*;

#[allow_nondeterminism(clock, reason = "it is only logged")]
#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
