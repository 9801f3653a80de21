//! A mistake in a function does not hide one in the next.
use durable_runtime::prelude::*;

#[deterministic]
fn stamp() -> i64 {
    chrono::Utc::now().timestamp()
}

#[orchestrator]
async fn first(_ctx: OrchestrationContext) -> Result<i64> {
    Ok(stamp())
}

#[orchestrator]
async fn second(ctx: OrchestrationContext) -> Result<i64> {
    ctx.call_sub_orchestrator::<first>(()).await?;
    println!("done");
    Ok(1)
}

fn main() {}
