//! An await in the scrutinee of a `match`.
use durable_runtime::prelude::*;

async fn state_of(_order: u64) -> Option<&'static str> {
    Some("paid")
}

#[orchestrator]
async fn ship(_ctx: OrchestrationContext, order: u64) -> Result<bool> {
    match state_of(order).await {
        Some("paid") => Ok(true),
        _ => Ok(false),
    }
}

fn main() {}
