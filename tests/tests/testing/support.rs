//! What several of the tests run.

use std::time::Duration;

use durable_runtime::prelude::*;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

#[activity]
pub(crate) async fn double(number: u64) -> Result<u64> {
    Ok(number * 2)
}

/// A plain function.
#[activity]
pub(crate) fn add_one(number: u64) -> Result<u64> {
    Ok(number + 1)
}

/// What a test has to play.
#[activity]
pub(crate) async fn charge(cents: u64) -> Result<String> {
    Err(Error::msg(format!("{cents} cents of real money")))
}

#[orchestrator]
pub(crate) async fn calculate(ctx: OrchestrationContext, number: u64) -> Result<u64> {
    let doubled = ctx.call_activity::<double>(number).await?;
    Ok(ctx.call_activity::<add_one>(doubled).await?)
}

#[orchestrator]
pub(crate) async fn buy(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    let policy = RetryPolicy::new(3, Duration::from_secs(60)).backoff(2.0);
    Ok(ctx.call_activity::<charge>(cents).retry(policy).await?)
}

#[orchestrator]
pub(crate) async fn approval(ctx: OrchestrationContext) -> Result<Option<bool>> {
    let event = ctx.wait_for_external_event::<bool>("approval");
    Ok(event.timeout(30 * DAY).await?)
}
