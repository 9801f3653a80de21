//! An unfinished argument.
use durable_runtime::prelude::*;

#[orchestrator]
async fn typing(ctx: OrchestrationContext, names: Vec<String>) -> Result<bool> {
    let found = ctx.wait_for_external_event::<bool>(names.).await?;
    Ok(found)
}

fn main() {}
