//! Two inputs of an orchestrator.
use durable_runtime::prelude::*;

#[orchestrator]
async fn transfer(_ctx: OrchestrationContext, from: String, to: String) -> Result<String> {
    Ok(from + &to)
}

fn main() {}
