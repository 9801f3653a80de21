//! A loop that is left by `?` only, when something fails.
#![deny(deprecated)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn collect(ctx: OrchestrationContext) -> Result<u32> {
    let mut sum = 0;
    loop {
        sum += ctx.wait_for_external_event::<u32>("number").await?;
        ctx.set_custom_status(sum)?;
        ctx.sleep(Duration::from_secs(1)).await;
    }
}

fn main() {}
