//! An await in an async block that is awaited where it stands, as `try` blocks are imitated.
use durable_runtime::prelude::*;

async fn stock_of(_article: &str) -> Result<u32> {
    Ok(3)
}

#[orchestrator]
async fn reserve(_ctx: OrchestrationContext, article: String) -> Result<u32> {
    let count: Result<u32> = async { Ok(stock_of(&article).await? / 2) }.await;
    Ok(count.unwrap_or(0))
}

fn main() {}
