//! An await in `matches!`.
use durable_runtime::prelude::*;

async fn state_of(_order: u64) -> Option<u8> {
    Some(2)
}

#[orchestrator]
async fn is_shipped(_ctx: OrchestrationContext, order: u64) -> Result<bool> {
    Ok(matches!(state_of(order).await, Some(2..=4)))
}

fn main() {}
