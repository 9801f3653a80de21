//! What stands around the unfinished expression is checked all the same.
use durable_runtime::prelude::*;

#[orchestrator]
async fn typing(ctx: OrchestrationContext) -> Result<u32> {
    let _start = std::time::Instant::now();
    let number: u32 = ctx.wait_for_external_event("number").await?;
    if number > 3 {
        return ctx.;
    }
    tokio::task::yield_now().await;
    Ok(number)
}

fn main() {}
