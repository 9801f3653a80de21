//! One orchestration that does very much, one thing after the other, and whether it gets slower as its
//! history grows.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::check;
use crate::functions;
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::Site;
use crate::sync_limit::SyncLimit;

const SHORT: u32 = 1_000;
const LONG: u32 = 10_000;
/// How often the disk is tried before, between and after them.
const PROBES: usize = 400;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let (fewer, more) = (site.load(SHORT), site.load(LONG));
    run_one(&client, fewer / 2).await?;
    let mut sync = SyncLimit::new(site.directory())?;
    sync.probe(PROBES)?;
    let before = Usage::of(&host)?;
    let short = run_one(&client, fewer).await?;
    let mut used = before.since()?;
    sync.probe(PROBES)?;
    let before = Usage::of(&host)?;
    let long = run_one(&client, more).await?;
    used += before.since()?;
    sync.probe(PROBES)?;
    host.shutdown().await?;
    let sync = sync.durations().mean();
    let limit = Figure::rate("limit by one fdatasync a step", 1, sync, "steps/s");
    let floor = Floor::AtLeast(0.7 * limit.value());
    Ok(report
        .with(Figure::rate("1,000 at", fewer, short, "steps/s"))
        .with(Figure::rate("10,000 at", more, long, "steps/s").floor(floor))
        .with(limit)
        .with_cost(&used, fewer + more, "step"))
}

async fn run_one(client: &DurableClient, steps: u32) -> Result<Duration> {
    let began = Instant::now();
    let run = client
        .start_new::<functions::long>(u64::from(steps))
        .await?;
    let output = run.output().await?;
    let took = began.elapsed();
    check("long", &output, &u64::from(steps))?;
    Ok(took)
}
