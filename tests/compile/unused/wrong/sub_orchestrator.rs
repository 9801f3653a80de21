//! Another orchestrator that is never called, and tasks that nobody waits for.
#![deny(unused_must_use)]

use durable_runtime::prelude::*;

#[orchestrator]
async fn child(_ctx: OrchestrationContext, number: u32) -> Result<u32> {
    Ok(number)
}

#[orchestrator]
async fn parent(ctx: OrchestrationContext) -> Result<()> {
    ctx.call_sub_orchestrator::<child>(1u32);
    when_all((1u32..3).map(|number| ctx.call_sub_orchestrator::<child>(number)));
    Ok(())
}

fn main() {}
