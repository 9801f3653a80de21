//! An orchestrator that takes its context by reference.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(_ctx: &OrchestrationContext, city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
