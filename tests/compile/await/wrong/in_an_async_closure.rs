//! An await in an async closure.
use durable_runtime::prelude::*;

async fn stock_of(_article: &str) -> u32 {
    3
}

#[orchestrator]
async fn reserve(_ctx: OrchestrationContext, article: String) -> Result<u32> {
    let half = async |article: &str| stock_of(article).await / 2;
    Ok(half(&article).await)
}

fn main() {}
