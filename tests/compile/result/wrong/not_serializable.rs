//! An output that cannot be stored.
use durable_runtime::prelude::*;

#[derive(serde::Deserialize)]
struct Receipt;

#[orchestrator]
async fn pay(_ctx: OrchestrationContext) -> Result<Receipt> {
    Ok(Receipt)
}

fn main() {}
