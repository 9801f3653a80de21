//! A file that is read.
use durable_runtime::prelude::*;

#[orchestrator]
async fn load(_ctx: OrchestrationContext, path: String) -> Result<String> {
    Ok(std::fs::read_to_string(path)?)
}

fn main() {}
