//! The process is ended.
use durable_runtime::prelude::*;

#[orchestrator]
async fn stop(_ctx: OrchestrationContext, code: i32) -> Result<()> {
    if code != 0 {
        std::process::exit(code);
    }
    Ok(())
}

fn main() {}
