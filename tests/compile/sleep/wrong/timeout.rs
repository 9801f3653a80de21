//! A timeout of `tokio` around a durable task.
use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    use tokio::time::timeout;
    let approval = ctx.wait_for_external_event::<bool>("approval");
    Ok(timeout(Duration::from_secs(60), approval).await??)
}

fn main() {}
