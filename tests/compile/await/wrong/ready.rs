//! A future of the standard library that is ready.
use durable_runtime::prelude::*;

#[orchestrator]
async fn answer(_ctx: OrchestrationContext) -> Result<u32> {
    let answer = std::future::ready(42).await;
    Ok(answer)
}

fn main() {}
