//! Very many timers that are due at one time.

use std::time::{Duration, Instant};

use chrono::Utc;
use durable_runtime::{Error, Result};
use tokio::task::JoinSet;

use super::in_flight;
use crate::functions;
use crate::measure::{Durations, Usage};
use crate::report::{Figure, Report};
use crate::site::Site;

const TIMERS: u32 = 100_000;
const CLIENTS: u32 = 200;
/// How long the usual number of starts may take.
const TO_START: Duration = Duration::from_secs(10);

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let count = site.load(TIMERS);
    let wait = TO_START * site.load(1);
    let (due, due_at) = (Utc::now() + wait, Instant::now() + wait);
    let client = host.client();
    let started = in_flight(CLIENTS, count, move |_| {
        let client = client.clone();
        async move { Ok(client.start_new::<functions::sleep_until>(due).await?) }
    })
    .await?;
    if Instant::now() > due_at {
        return Err(Error::msg("the timers were due before all were there"));
    }
    let mut sleeping = JoinSet::new();
    for run in started {
        sleeping.spawn(async move {
            run.output().await?;
            Ok::<_, Error>(Instant::now())
        });
    }
    tokio::time::sleep_until(due_at.into()).await;
    let before = Usage::of(&host)?;
    let mut late = Vec::new();
    while let Some(joined) = sleeping.join_next().await {
        let ended = joined??;
        if ended < due_at {
            return Err(Error::msg("a timer fired before it was due"));
        }
        late.push(ended - due_at);
    }
    let used = before.since()?;
    host.shutdown().await?;
    let late = Durations::new(late);
    Ok(report
        .with(Figure::rate("rate", count, used.time, "timers/s"))
        .with(Figure::time("p50 late", late.median()))
        .with(Figure::time("p99 late", late.percentile(99)))
        .with_cost(&used, count, "timer"))
}
