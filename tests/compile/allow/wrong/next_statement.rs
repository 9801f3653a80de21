//! Only the statement that it stands on is let through, and not the next one.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism(clock, reason = "it is only logged")]
    let _start = std::time::Instant::now();
    let _end = std::time::Instant::now();
    Ok(())
}

fn main() {}
