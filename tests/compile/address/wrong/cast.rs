//! A reference that becomes a number.
use durable_runtime::prelude::*;

#[orchestrator]
async fn key(_ctx: OrchestrationContext, order: u64) -> Result<u64> {
    Ok(&order as *const u64 as u64)
}

fn main() {}
