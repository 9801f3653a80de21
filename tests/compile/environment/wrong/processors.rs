//! The number of processors of the host.
use std::thread;

use durable_runtime::prelude::*;

#[orchestrator]
async fn parts(_ctx: OrchestrationContext) -> Result<usize> {
    Ok(thread::available_parallelism()?.get())
}

fn main() {}
