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
use crate::sync_limit;

const SHORT: u32 = 1_000;
const LONG: u32 = 10_000;
/// About what a commit with one step writes: two or three pages of 8 KiB.
const COMMIT_BYTES: usize = 20 << 10;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    run_one(&client, SHORT / 2).await?;
    let before = Usage::now()?;
    let short = run_one(&client, SHORT).await?;
    let long = run_one(&client, LONG).await?;
    let used = before.since()?;
    host.shutdown().await?;
    let sync = sync_limit::measure(site.directory(), COMMIT_BYTES, 2_000)?;
    let floor = Floor::AtLeast(4_000.0);
    Ok(report
        .with(Figure::rate("1,000 at", SHORT, short, "steps/s").floor(floor))
        .with(Figure::rate("10,000 at", LONG, long, "steps/s").floor(floor))
        .with(Figure::rate(
            "physical limit (1 fdatasync)",
            1,
            sync.median(),
            "steps/s",
        ))
        .with_cost(&used, SHORT + LONG, "step"))
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
