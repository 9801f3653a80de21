//! How fast orchestrations can be started.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::{check, in_flight};
use crate::functions;
use crate::measure::Usage;
use crate::report::{Figure, Report};
use crate::site::Site;

const ORCHESTRATIONS: u32 = 20_000;
const CLIENTS: u32 = 200;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let count = site.load(ORCHESTRATIONS);
    start_all(&client, count / 20).await?;
    let before = Usage::of(&host)?;
    let took = start_all(&client, count).await?;
    let used = before.since()?;
    host.shutdown().await?;
    let rate = Figure::rate("rate", count, used.time, "starts/s");
    Ok(report
        .with(rate)
        .with_times(took)
        .with_cost(&used, count, "start"))
}

/// Starts them, and waits until each has ended, which is in the commit that starts it; gives how long each
/// took.
async fn start_all(client: &DurableClient, count: u32) -> Result<Vec<Duration>> {
    let client = client.clone();
    in_flight(CLIENTS, count, move |number| {
        let client = client.clone();
        async move {
            let began = Instant::now();
            let run = client
                .start_new::<functions::trivial>(u64::from(number))
                .await?;
            check("start", &run.output().await?, &u64::from(number))?;
            Ok(began.elapsed())
        }
    })
    .await
}
