//! One orchestration that does very much at the same time, and whether twice as much takes twice as
//! long.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::check;
use crate::functions::{self, sum_to};
use crate::measure::{Durations, Usage};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const WIDTH: u32 = 10_000;
/// Of each width; the median counts.
const RUNS: u32 = 21;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let width = site.load(WIDTH);
    run_one(&client, width / 10).await?;
    let before = Usage::of(&host)?;
    let (mut single, mut double) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        single.push(run_one(&client, width).await?);
        double.push(run_one(&client, 2 * width).await?);
    }
    let used = before.since()?;
    host.shutdown().await?;
    let single = Durations::new(single).median();
    let double = Durations::new(double).median();
    let ratio = double.as_secs_f64() / single.as_secs_f64();
    let rate = Figure::rate("rate", width, single, "activities/s");
    Ok(report
        .with(rate.floor(Floor::AtLeast(80_000.0)))
        .with(Figure::rate(
            "twice as many at",
            2 * width,
            double,
            "activities/s",
        ))
        .with(Figure::new("ratio of times", ratio, "").floor(Floor::AtMost(2.3)))
        .with_cost(&used, RUNS * 3 * width, "activity"))
}

async fn run_one(client: &DurableClient, width: u32) -> Result<Duration> {
    let began = Instant::now();
    let run = client
        .start_new::<functions::fan_out>(u64::from(width))
        .await?;
    let output = run.output().await?;
    let took = began.elapsed();
    check("fan-out", &output, &sum_to(u64::from(width)))?;
    Ok(took)
}
