//! One orchestration with very many children.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::check;
use crate::functions::{self, sum_to};
use crate::measure::{Durations, Usage};
use crate::report::{Figure, Report};
use crate::site::Site;

const CHILDREN: u32 = 1_000;
/// The median counts.
const RUNS: u32 = 11;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let children = site.load(CHILDREN);
    run_one(&client, children / 2).await?;
    let before = Usage::of(&host)?;
    let mut took = Vec::new();
    for _ in 0..RUNS {
        took.push(run_one(&client, children).await?);
    }
    let used = before.since()?;
    host.shutdown().await?;
    let median = Durations::new(took).median();
    Ok(report
        .with(Figure::rate("rate", children, median, "children/s"))
        .with_cost(&used, RUNS * children, "child"))
}

async fn run_one(client: &DurableClient, children: u32) -> Result<Duration> {
    let began = Instant::now();
    let run = client
        .start_new::<functions::parent>(u64::from(children))
        .await?;
    let output = run.output().await?;
    let took = began.elapsed();
    check("sub-orchestrations", &output, &sum_to(u64::from(children)))?;
    Ok(took)
}
