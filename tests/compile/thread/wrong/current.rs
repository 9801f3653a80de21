//! The thread that the orchestrator happens to run on.
use std::thread;

use durable_runtime::prelude::*;

#[orchestrator]
async fn name(_ctx: OrchestrationContext) -> Result<String> {
    Ok(format!("{:?}", thread::current().id()))
}

fn main() {}
