//! The context of another kind of function.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order(_ctx: OrchestrationContext, _order: String) -> Result<()> {
    Ok(())
}

fn main() {}
