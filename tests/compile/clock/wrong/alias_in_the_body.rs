//! A clock under another name, by a `use` in the body.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    use std::time::Instant as Clock;
    let _start = Clock::now();
    Ok(())
}

fn main() {}
