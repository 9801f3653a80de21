//! Throughput of many short orchestrations.

use std::time::Instant;

use durable_runtime::Result;

use super::{check, in_flight};
use crate::functions::{self, SEQUENCE_STEPS};
use crate::measure::{Durations, Usage};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const ORCHESTRATIONS: u32 = 10_000;
const IN_FLIGHT: u32 = 200;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let count = site.load(ORCHESTRATIONS);
    let work = move |number: u32| {
        let client = client.clone();
        async move {
            let began = Instant::now();
            let run = client
                .start_new::<functions::sequence>(u64::from(number))
                .await?;
            let output = run.output().await?;
            let took = began.elapsed();
            check("sequence", &output, &u64::from(number + SEQUENCE_STEPS))?;
            Ok(took)
        }
    };
    in_flight(IN_FLIGHT, count / 20, work.clone()).await?;
    let before = Usage::of(&host)?;
    let took = in_flight(IN_FLIGHT, count, work).await?;
    let used = before.since()?;
    host.shutdown().await?;
    let latency = Durations::new(took);
    let rate = Figure::rate("rate", count, used.time, "orchestrations/s");
    Ok(report
        .with(rate.floor(Floor::AtLeast(12_000.0)))
        .with(Figure::time("p50", latency.median()))
        .with(Figure::time("p99", latency.percentile(99)).floor(Floor::AtMost(50.0)))
        .with_cost(&used, count * SEQUENCE_STEPS, "activity"))
}
