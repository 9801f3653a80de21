//! An async mutex: where it is made, and where it is awaited.
use durable_runtime::prelude::*;

#[orchestrator]
async fn sum(_ctx: OrchestrationContext) -> Result<u64> {
    let sum = tokio::sync::Mutex::new(0);
    *sum.lock().await += 1;
    Ok(sum.into_inner())
}

fn main() {}
