//! An await in `vec!`.
use durable_runtime::prelude::*;

async fn side(_name: &str) -> u32 {
    1
}

#[orchestrator]
async fn sides(_ctx: OrchestrationContext) -> Result<Vec<u32>> {
    Ok(vec![1, side("left").await, 3])
}

fn main() {}
