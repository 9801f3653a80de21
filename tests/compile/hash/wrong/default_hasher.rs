//! The hasher of the standard library, whose algorithm may change.
use std::hash::{DefaultHasher, Hash, Hasher};

use durable_runtime::prelude::*;

#[orchestrator]
async fn shard(_ctx: OrchestrationContext, key: String) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    Ok(hasher.finish() % 16)
}

fn main() {}
