//! Transfers between entities, each under the locks of two.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;

use super::{check, in_flight, signals};
use crate::functions;
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const TRANSFERS: u32 = 1_000;
const ACCOUNTS: u32 = 100;
const CLIENTS: u32 = 200;
/// How often it is measured; the median counts.
const RUNS: u32 = 5;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let transfers = site.load(TRANSFERS);
    transfer_all(&client, transfers / 5).await?;
    let before = Usage::of(&host)?;
    let (mut times, mut took) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        took.append(&mut transfer_all(&client, transfers).await?);
        times.push(began.elapsed());
    }
    let used = before.since()?;
    let keys: Vec<_> = (0..ACCOUNTS).map(key).collect();
    signals::wait_for_sum(&client, &keys, 0).await?;
    host.shutdown().await?;
    times.sort_unstable();
    let rate = Figure::rate("median", transfers, times[times.len() / 2], "transfers/s");
    Ok(report
        .with(rate.floor(Floor::AtLeast(1_000.0)))
        .with_times(took)
        .with_cost(&used, transfers * RUNS, "transfer"))
}

fn key(number: u32) -> String {
    format!("account-{}", number % ACCOUNTS)
}

/// Gives how long each took.
async fn transfer_all(client: &DurableClient, count: u32) -> Result<Vec<Duration>> {
    let client = client.clone();
    let took = in_flight(CLIENTS, count, move |number| {
        let client = client.clone();
        async move {
            let began = Instant::now();
            let (from, to) = (key(number * 7), key(number * 7 + 1 + number % 13));
            let run = client.start_new::<functions::transfer>((from, to)).await?;
            run.output().await?;
            Ok(began.elapsed())
        }
    })
    .await?;
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    check("transfers", &took.len(), &wanted)?;
    Ok(took)
}
