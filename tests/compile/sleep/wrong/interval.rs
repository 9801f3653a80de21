//! An interval of `tokio`, which is reported where it is made.
use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn tick(_ctx: OrchestrationContext) -> Result<()> {
    let _ticks = tokio::time::interval(Duration::from_secs(60));
    Ok(())
}

fn main() {}
