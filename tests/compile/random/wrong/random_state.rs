//! The seed of the standard hash maps.
use std::hash::{BuildHasher, RandomState};

use durable_runtime::prelude::*;

#[orchestrator]
async fn shard(_ctx: OrchestrationContext, key: String) -> Result<u64> {
    Ok(RandomState::new().hash_one(key) % 16)
}

fn main() {}
