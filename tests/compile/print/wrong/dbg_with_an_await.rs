//! A value that is printed, with an await that is right.
use durable_runtime::prelude::*;

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    Ok(dbg!(ctx.wait_for_external_event::<bool>("approval").await?))
}

fn main() {}
