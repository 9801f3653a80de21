//! A rule that there is not.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism(clocks, reason = "it is only logged")]
    let _start = 1;
    Ok(())
}

fn main() {}
