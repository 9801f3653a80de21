//! One orchestration that calls an entity again and again.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::check;
use crate::functions;
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const CALLS: u32 = 1_000;
/// How often it is measured; the median counts.
const RUNS: usize = 21;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let calls = site.load(CALLS);
    run_one(&client, calls / 2).await?;
    let before = Usage::of(&host)?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        times.push(run_one(&client, calls).await?);
    }
    let used = before.since()?;
    host.shutdown().await?;
    times.sort_unstable();
    let rate = Figure::rate("median", calls, times[RUNS / 2], "calls/s");
    let all = calls * u32::try_from(RUNS).unwrap_or(1);
    Ok(report
        .with(rate.floor(Floor::AtLeast(3_000.0)))
        .with_cost(&used, all, "call"))
}

async fn run_one(client: &DurableClient, calls: u32) -> Result<Duration> {
    let began = Instant::now();
    let run = client
        .start_new::<functions::call_entity>(i64::from(calls))
        .await?;
    let output = run.output().await?;
    let took = began.elapsed();
    check("entity-calls", &output, &i64::from(calls))?;
    Ok(took)
}
