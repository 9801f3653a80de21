//! How long one orchestration takes on a host that does nothing else.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::check;
use crate::functions::{self, SEQUENCE_STEPS};
use crate::measure::{Durations, Usage, Used};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;
use crate::sync_limit::SyncLimit;

const WARM_UP: u32 = 100;
/// Between which the disk is tried.
const ROUNDS: u32 = 10;
const ORCHESTRATIONS: u32 = 100;
/// How often the disk is tried before each round.
const PROBES: usize = 102;
/// A commit waits for the disk when the orchestration is started and after each activity.
const COMMITS: u32 = SEQUENCE_STEPS + 1;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let orchestrations = site.load(ORCHESTRATIONS);
    let client = host.client();
    for number in 0..WARM_UP {
        run_one(&client, number).await?;
    }
    let mut took = Vec::new();
    let mut used = Used::default();
    let mut sync = SyncLimit::new(site.directory())?;
    for _ in 0..ROUNDS {
        sync.probe(PROBES)?;
        let before = Usage::of(&host)?;
        for number in 0..orchestrations {
            took.push(run_one(&client, number).await?);
        }
        used += before.since()?;
    }
    host.shutdown().await?;
    let latency = Durations::new(took);
    let limit = sync.durations_of(COMMITS as usize).median();
    let limit = Figure::time("limit by 6 of them", limit);
    let sync = sync.durations().median();
    let floor = Floor::AtMost(1.4 * limit.value());
    let median = Figure::time("median", latency.median()).floor(floor);
    Ok(report
        .with(median)
        .with(Figure::time("p99", latency.percentile(99)))
        .with(Figure::time("fdatasync median", sync))
        .with(limit)
        .with_cost(&used, ROUNDS * orchestrations * SEQUENCE_STEPS, "activity"))
}

async fn run_one(client: &DurableClient, number: u32) -> Result<Duration> {
    let began = Instant::now();
    let run = client
        .start_new::<functions::sequence>(u64::from(number))
        .await?;
    let output = run.output().await?;
    let took = began.elapsed();
    check("latency", &output, &u64::from(number + SEQUENCE_STEPS))?;
    Ok(took)
}
