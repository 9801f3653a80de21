//! What is let through is another rule than the one that is broken.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism(random, reason = "it is only logged")]
    let _start = std::time::Instant::now();
    Ok(())
}

fn main() {}
