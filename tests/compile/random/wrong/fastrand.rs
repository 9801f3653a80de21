//! A random number of `fastrand`.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod fastrand {
    pub fn u32(range: std::ops::Range<u32>) -> u32 {
        range.start
    }
}

#[orchestrator]
async fn jitter(ctx: OrchestrationContext) -> Result<()> {
    let seconds = fastrand::u32(0..10);
    ctx.sleep(std::time::Duration::from_secs(seconds.into()))
        .await;
    Ok(())
}

fn main() {}
