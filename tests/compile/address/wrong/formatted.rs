//! An address that is printed.
use durable_runtime::prelude::*;

#[orchestrator]
async fn name(_ctx: OrchestrationContext, order: Box<u64>) -> Result<String> {
    Ok(format!("order at {order:p}"))
}

fn main() {}
