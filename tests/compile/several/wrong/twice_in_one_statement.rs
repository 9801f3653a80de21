//! Two mistakes in one statement, and the same mistake twice.
use durable_runtime::prelude::*;

#[orchestrator]
async fn spread(_ctx: OrchestrationContext) -> Result<i64> {
    Ok(
        chrono::Utc::now().timestamp() - chrono::Utc::now().timestamp()
            + i64::from(std::process::id()),
    )
}

fn main() {}
