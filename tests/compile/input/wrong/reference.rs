//! A reference as an input of an orchestrator.
use durable_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Order;

#[orchestrator]
async fn ship(_ctx: OrchestrationContext, _order: &Order) -> Result<()> {
    Ok(())
}

fn main() {}
