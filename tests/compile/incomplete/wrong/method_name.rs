//! `ctx.` as it stands while it is typed: the handle is not lost, so what calls it has no error.
use durable_runtime::prelude::*;

#[orchestrator]
async fn typing(ctx: OrchestrationContext, number: u32) -> Result<u32> {
    ctx.
}

#[orchestrator]
async fn caller(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_sub_orchestrator::<typing>(1u32).await?)
}

fn main() {}
