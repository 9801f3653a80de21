//! Functions of the user's own with the names of those that sleep, and durations.
use std::time::Duration;

use durable_runtime::prelude::*;

fn sleep(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3600)
}

fn timeout() -> Duration {
    tokio::time::Duration::from_millis(500)
}

#[orchestrator]
async fn night(ctx: OrchestrationContext) -> Result<()> {
    ctx.sleep(sleep(8)).await;
    ctx.wait_for_external_event::<()>("alarm")
        .timeout(timeout())
        .await?;
    Ok(())
}

fn main() {}
