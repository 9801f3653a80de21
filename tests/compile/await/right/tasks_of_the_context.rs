//! Everything that the context gives is awaited.
use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64) -> Result<String> {
    Ok(cents.to_string())
}

#[orchestrator]
async fn child(_ctx: OrchestrationContext, cents: u64) -> Result<u64> {
    Ok(cents)
}

#[orchestrator]
async fn everything(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    let policy = RetryPolicy::new(3, Duration::from_secs(5)).backoff(2.0);
    let receipt = ctx.call_activity::<charge>(cents).retry(policy).await?;
    ctx.call_activity_by_name::<()>("notify", &receipt)
        .timeout(Duration::from_secs(60))
        .await?;
    let child = ctx
        .call_sub_orchestrator::<child>(cents)
        .instance_id("child")
        .await?;
    let other: u64 = ctx
        .call_sub_orchestrator_by_name("other", child)
        .retry_if(|attempt| attempt.elapsed() < Duration::from_secs(60))
        .await?;
    ctx.sleep(Duration::from_secs(other)).await;
    ctx.create_timer(ctx.current_utc_datetime() + Duration::from_secs(1))
        .await;
    let approved: bool = ctx.wait_for_external_event("approval").await?;
    let comment = ctx
        .wait_for_external_event::<String>("comment")
        .timeout(Duration::from_secs(3600))
        .await?;
    Ok(format!(
        "{receipt} {approved} {}",
        comment.unwrap_or_default()
    ))
}

fn main() {}
