//! A future that is made in one statement and awaited in another.
use durable_runtime::prelude::*;

async fn total(_order: u64) -> u64 {
    0
}

#[orchestrator]
async fn summary(_ctx: OrchestrationContext, order: u64) -> Result<u64> {
    let total = total(order);
    let total = total.await;
    Ok(total)
}

fn main() {}
