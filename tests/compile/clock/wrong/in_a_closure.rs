//! A clock in a closure in the arguments of a macro.
use durable_runtime::prelude::*;

#[orchestrator]
async fn stamp(_ctx: OrchestrationContext, at: Option<i64>) -> Result<String> {
    Ok(format!(
        "{}",
        at.unwrap_or_else(|| chrono::Utc::now().timestamp())
    ))
}

fn main() {}
