//! A loop that awaits and never ends.
#![deny(deprecated)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn clean_up() -> Result<()> {
    Ok(())
}

#[orchestrator]
async fn periodic(ctx: OrchestrationContext) -> Result<()> {
    loop {
        ctx.call_activity::<clean_up>(()).await?;
        ctx.sleep(Duration::from_secs(3600)).await;
    }
}

fn main() {}
