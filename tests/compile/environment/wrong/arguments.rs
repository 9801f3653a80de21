//! The arguments of the program.
use durable_runtime::prelude::*;

#[orchestrator]
async fn input(_ctx: OrchestrationContext) -> Result<Vec<String>> {
    Ok(std::env::args().skip(1).collect())
}

fn main() {}
