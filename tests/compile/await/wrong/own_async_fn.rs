//! An `async fn` of the user's own, without `#[deterministic]`.
use durable_runtime::prelude::*;

async fn rate_of(currency: &str) -> Result<f64> {
    Ok(currency.len() as f64)
}

#[orchestrator]
async fn convert(_ctx: OrchestrationContext, amount: f64) -> Result<f64> {
    Ok(amount * rate_of("EUR").await?)
}

fn main() {}
