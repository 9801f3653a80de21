//! A hash map as an input, which has another order in every replay.
use std::collections::HashMap;

use durable_runtime::prelude::*;

#[orchestrator]
async fn total(_ctx: OrchestrationContext, prices: HashMap<String, u64>) -> Result<u64> {
    Ok(prices.values().sum())
}

fn main() {}
