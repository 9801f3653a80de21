//! A future that is awaited by reference, and one in a pin.
use std::pin::pin;

use durable_runtime::prelude::*;

async fn stock_of(_article: &str) -> u32 {
    3
}

#[orchestrator]
async fn reserve(_ctx: OrchestrationContext, article: String) -> Result<u32> {
    let mut pinned = pin!(stock_of(&article));
    let count = (&mut pinned).await;
    Ok(count)
}

fn main() {}
