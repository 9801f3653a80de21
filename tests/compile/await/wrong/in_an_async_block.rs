//! An await in an async block, which may itself be awaited.
use durable_runtime::prelude::*;

async fn stock_of(_article: &str) -> Result<u32> {
    Ok(3)
}

#[orchestrator]
async fn reserve(_ctx: OrchestrationContext, articles: Vec<String>) -> Result<u32> {
    let counts = articles
        .iter()
        .map(|article| async move { stock_of(article).await });
    Ok(when_all(counts.map(Box::pin)).await?.into_iter().sum())
}

fn main() {}
