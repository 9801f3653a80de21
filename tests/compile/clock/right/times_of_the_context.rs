//! Times that are computed, and not read from a clock.
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use durable_runtime::prelude::*;

#[orchestrator]
async fn next_monday(ctx: OrchestrationContext) -> Result<DateTime<Utc>> {
    let now = ctx.current_utc_datetime();
    let mut day = now.date_naive();
    while day.weekday() != Weekday::Mon {
        day = day.succ_opt().unwrap_or(day);
    }
    let fire_at = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(9);
    ctx.create_timer(fire_at.max(now + Duration::from_secs(1)))
        .await;
    Ok(fire_at)
}

#[orchestrator]
async fn deadline(ctx: OrchestrationContext, started: DateTime<Utc>) -> Result<bool> {
    let parsed = "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>()?;
    let fixed = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).single();
    let elapsed = ctx.current_utc_datetime() - started;
    Ok(elapsed > TimeDelta::days(1) || Some(parsed) == fixed || started < DateTime::UNIX_EPOCH)
}

fn main() {}
