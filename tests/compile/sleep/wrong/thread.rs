//! A thread that sleeps.
use std::thread;
use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(_ctx: OrchestrationContext) -> Result<()> {
    thread::sleep(Duration::from_secs(60));
    Ok(())
}

fn main() {}
