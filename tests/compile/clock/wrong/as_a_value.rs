//! A clock that is passed as a function.
use durable_runtime::prelude::*;

#[orchestrator]
async fn stamp(
    _ctx: OrchestrationContext,
    at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<i64> {
    Ok(at.unwrap_or_else(chrono::Utc::now).timestamp())
}

fn main() {}
