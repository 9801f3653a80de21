//! The context of an orchestrator after its input.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(city: String, _ctx: OrchestrationContext) -> Result<String> {
    Ok(city)
}

fn main() {}
