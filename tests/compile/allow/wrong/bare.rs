//! Neither a rule nor a reason.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism]
    let _start = 1;
    Ok(())
}

fn main() {}
