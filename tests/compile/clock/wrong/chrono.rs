//! The clock of `chrono`.
use chrono::Utc;
use durable_runtime::prelude::*;

#[orchestrator]
async fn until_tomorrow(ctx: OrchestrationContext) -> Result<()> {
    ctx.create_timer(Utc::now() + chrono::TimeDelta::days(1))
        .await;
    Ok(())
}

fn main() {}
