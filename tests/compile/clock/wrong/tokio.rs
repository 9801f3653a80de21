//! The clock of `tokio`.
use durable_runtime::prelude::*;
use tokio::time::Instant;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    let deadline = Instant::now() + std::time::Duration::from_secs(5);
    drop(deadline);
    Ok(())
}

fn main() {}
