//! A `#[deterministic]` function is checked as an orchestrator is.
use durable_runtime::prelude::*;

async fn is_paid(_order: u64) -> bool {
    true
}

#[deterministic]
async fn wait_for_payment(ctx: &OrchestrationContext, order: u64) -> bool {
    for _ in 0..10 {
        if is_paid(order).await {
            return true;
        }
        ctx.sleep(std::time::Duration::from_secs(3600)).await;
    }
    false
}

#[orchestrator]
async fn sell(ctx: OrchestrationContext, order: u64) -> Result<bool> {
    Ok(wait_for_payment(&ctx, order).await)
}

fn main() {}
