//! Statements, arms and fields that are compiled under a condition.
use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(ctx: OrchestrationContext, level: u8) -> Result<u64> {
    #[cfg(debug_assertions)]
    ctx.sleep(Duration::from_secs(1)).await;
    #[cfg(any())]
    {
        missing(&ctx).await;
    }
    let seconds = match level {
        #[cfg(any())]
        0 => missing(&ctx).await,
        #[cfg(not(any()))]
        0 => 1,
        _ => 2,
    };
    #[cfg(all())]
    if level > 3 {
        return Ok(0);
    }
    Ok(seconds)
}

fn main() {}
