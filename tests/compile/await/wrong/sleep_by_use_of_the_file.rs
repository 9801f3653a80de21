//! A timer of `tokio`, which a `use` of the file brings in: its type tells what it is.
use std::time::Duration;

use durable_runtime::prelude::*;
use tokio::time::sleep;

#[orchestrator]
async fn wait(_ctx: OrchestrationContext) -> Result<()> {
    sleep(Duration::from_secs(60)).await;
    Ok(())
}

fn main() {}
