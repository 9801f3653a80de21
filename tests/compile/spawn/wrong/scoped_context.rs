//! A context that the threads of a scope would use.
use durable_runtime::prelude::*;

#[orchestrator]
async fn names(ctx: OrchestrationContext) -> Result<()> {
    std::thread::scope(|scope| {
        scope.spawn(|| ctx.instance_id().len());
    });
    Ok(())
}

fn main() {}
