//! States and contexts in whatever order they are allowed.
use durable_runtime::prelude::*;

struct Prices {
    cents: Vec<u64>,
}

#[activity]
async fn price(State(prices): State<Prices>, article: usize) -> Result<u64> {
    Ok(prices.cents[article])
}

#[activity]
fn total(ctx: ActivityContext, prices: State<Prices>, names: State<Vec<String>>) -> Result<u64> {
    let sum: u64 = prices.cents.iter().sum();
    Ok(sum + names.len() as u64 + u64::from(ctx.attempt()))
}

#[orchestrator]
async fn buy(ctx: OrchestrationContext, article: usize) -> Result<u64> {
    let total = ctx.call_activity::<total>(()).await?;
    Ok(total - ctx.call_activity::<price>(article).await?)
}

fn main() {}
