//! An orchestrator with a `where` clause.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(_ctx: OrchestrationContext) -> Result<()>
where
    String: Send,
{
    Ok(())
}

fn main() {}
