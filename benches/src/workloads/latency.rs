//! How long one orchestration takes on a host that does nothing else.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::check;
use crate::functions::{self, SEQUENCE_STEPS};
use crate::measure::{Durations, Usage};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;
use crate::sync_limit;

const WARM_UP: u32 = 100;
const ORCHESTRATIONS: u32 = 1_000;
/// A commit waits for the disk when the orchestration is started and after each activity.
const COMMITS: u32 = SEQUENCE_STEPS + 1;
/// About what a commit with one step writes: two or three pages of 8 KiB.
const COMMIT_BYTES: usize = 20 << 10;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    for number in 0..WARM_UP {
        run_one(&client, number).await?;
    }
    let before = Usage::now()?;
    let mut took = Vec::new();
    for number in 0..ORCHESTRATIONS {
        took.push(run_one(&client, number).await?);
    }
    let used = before.since()?;
    host.shutdown().await?;
    let sync = sync_limit::measure(site.directory(), COMMIT_BYTES, 2_000)?;
    let latency = Durations::new(took);
    let median = Figure::time("median", latency.median());
    Ok(report
        .with(median.floor(Floor::AtMost(2.0)))
        .with(Figure::time("p99", latency.percentile(99)))
        .with(Figure::time("fdatasync median", sync.median()))
        .with(Figure::time(
            "physical limit (6 fdatasync)",
            sync.median() * COMMITS,
        ))
        .with_cost(&used, ORCHESTRATIONS * SEQUENCE_STEPS, "activity"))
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
