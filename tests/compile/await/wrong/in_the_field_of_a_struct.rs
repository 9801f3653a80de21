//! An await in the field of a struct that is returned.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Quote {
    symbol: String,
    cents: u64,
}

async fn cents_of(_symbol: &str) -> u64 {
    12
}

#[orchestrator]
async fn quote(_ctx: OrchestrationContext, symbol: String) -> Result<Quote> {
    Ok(Quote {
        cents: cents_of(&symbol).await,
        symbol,
    })
}

fn main() {}
