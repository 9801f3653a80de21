//! An orchestrator that returns no `Result`.
use durable_runtime::prelude::*;

#[orchestrator]
async fn pay(_ctx: OrchestrationContext, amount: u64) -> Option<u64> {
    Some(amount)
}

fn main() {}
