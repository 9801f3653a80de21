//! A statement that is not finished, before one that is: the errors are those of the syntax.
use durable_runtime::prelude::*;

#[orchestrator]
async fn typing(ctx: OrchestrationContext) -> Result<u32> {
    let number = ctx.wait_for_external_event::<u32>("number").
    let twice = number * 2;
    Ok(twice)
}

#[orchestrator]
async fn caller(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_sub_orchestrator::<typing>(()).await?)
}

fn main() {}
