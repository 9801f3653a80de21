//! An await in the async block that a closure returns.
use durable_runtime::prelude::*;

async fn stock_of(_article: String) -> Result<u32> {
    Ok(3)
}

#[orchestrator]
async fn reserve(_ctx: OrchestrationContext, articles: Vec<String>) -> Result<u32> {
    let count = |article: String| async move { stock_of(article).await };
    let mut sum = 0;
    for article in articles {
        sum += count(article).await?;
    }
    Ok(sum)
}

fn main() {}
