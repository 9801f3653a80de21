//! An await in `json!`.
use durable_runtime::prelude::*;
use serde_json::{Value, json};

async fn total(_order: u64) -> u64 {
    0
}

#[orchestrator]
async fn summary(_ctx: OrchestrationContext, order: u64) -> Result<Value> {
    Ok(json!({ "order": order, "sums": { "total": total(order).await } }))
}

fn main() {}
