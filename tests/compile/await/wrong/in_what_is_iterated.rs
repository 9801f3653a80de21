//! An await in the head of a `for`.
use durable_runtime::prelude::*;

async fn open_orders() -> Vec<u64> {
    vec![1, 2]
}

#[activity]
async fn close(order: u64) -> Result<()> {
    drop(order);
    Ok(())
}

#[orchestrator]
async fn close_all(ctx: OrchestrationContext) -> Result<()> {
    for order in open_orders().await {
        ctx.call_activity::<close>(order).await?;
    }
    Ok(())
}

fn main() {}
