//! An await in an arm of a `match`, and one that is right in another.
use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64) -> Result<String> {
    Ok(cents.to_string())
}

async fn invoice(cents: u64) -> Result<String> {
    Ok(cents.to_string())
}

#[orchestrator]
async fn pay(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    Ok(match cents {
        0 => String::new(),
        1..=10_000 => ctx.call_activity::<charge>(cents).await?,
        _ => invoice(cents).await?,
    })
}

fn main() {}
