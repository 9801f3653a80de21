//! The thread that is given to others.
use durable_runtime::prelude::*;

#[orchestrator]
async fn polite(_ctx: OrchestrationContext) -> Result<()> {
    use std::thread::yield_now;
    yield_now();
    Ok(())
}

fn main() {}
