//! An await in the argument of a method, beside one that is right.
use durable_runtime::prelude::*;

#[activity]
async fn net_price(article: String) -> Result<u64> {
    Ok(article.len() as u64)
}

async fn tax(_article: &str) -> u64 {
    19
}

#[orchestrator]
async fn price(ctx: OrchestrationContext, article: String) -> Result<u64> {
    let net = ctx.call_activity::<net_price>(article.as_str()).await?;
    Ok(net.saturating_add(tax(&article).await))
}

fn main() {}
