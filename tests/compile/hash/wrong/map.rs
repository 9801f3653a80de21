//! A hash map: its type and its constructor are one mistake.
use std::collections::HashMap;

use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext, words: Vec<String>) -> Result<Vec<u32>> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    Ok(counts.into_values().collect())
}

fn main() {}
