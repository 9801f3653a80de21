//! The time zone of the host.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hour(ctx: OrchestrationContext) -> Result<String> {
    let local = ctx.current_utc_datetime().with_timezone(&chrono::Local);
    Ok(local.to_string())
}

fn main() {}
