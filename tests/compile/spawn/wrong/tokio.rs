//! A task of `tokio`, which is awaited.
use durable_runtime::prelude::*;

#[orchestrator]
async fn sum(_ctx: OrchestrationContext, numbers: Vec<u64>) -> Result<u64> {
    let sum = tokio::spawn(async move { numbers.iter().sum() }).await?;
    Ok(sum)
}

fn main() {}
