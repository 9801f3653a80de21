//! Very many signals of one client: to one entity, and to many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use durable_runtime::client::DurableClient;
use durable_runtime::{Error, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::check;
use crate::functions::Counter;
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const SIGNALS: u32 = 100_000;
/// How many signals are on their way at a time, at most.
const IN_FLIGHT: usize = 20_000;
const MANY: u32 = 1_000;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    measure(site, report, 1, 150_000.0).await
}

pub(super) async fn run_many(site: &Site, report: Report) -> Result<Report> {
    measure(site, report, MANY, 80_000.0).await
}

async fn measure(site: &Site, report: Report, counters: u32, floor: f64) -> Result<Report> {
    let host = site.host().await?;
    let client = host.client();
    let signals = site.load(SIGNALS);
    signal_all(&client, "warm", counters, signals / 20).await?;
    let before = Usage::of(&host)?;
    let took = signal_all(&client, "counter", counters, signals).await?;
    let used = before.since()?;
    host.shutdown().await?;
    let rate = Figure::rate("rate", signals, used.time, "operations/s");
    Ok(report
        .with(rate.floor(Floor::AtLeast(floor)))
        .with_times(took)
        .with_cost(&used, signals, "operation"))
}

/// Sends the signals in turn to the counters, and waits until their states show them all. Gives how long each took
/// until it was accepted.
async fn signal_all(
    client: &DurableClient,
    key: &str,
    counters: u32,
    signals: u32,
) -> Result<Vec<Duration>> {
    let keys: Vec<_> = (0..counters)
        .map(|number| format!("{key}-{number}"))
        .collect();
    let proxies: Vec<_> = keys
        .iter()
        .map(|key| client.signal::<Counter>(key.as_str()))
        .collect();
    let places = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut sending = JoinSet::new();
    let mut took = Vec::new();
    for proxy in proxies
        .iter()
        .cycle()
        .take(usize::try_from(signals).unwrap_or(usize::MAX))
    {
        let place = Arc::clone(&places)
            .acquire_owned()
            .await
            .map_err(Error::from)?;
        let sent = proxy.add(1);
        sending.spawn(async move {
            let began = Instant::now();
            sent.await?;
            drop(place);
            Ok::<_, Error>(began.elapsed())
        });
        while let Some(joined) = sending.try_join_next() {
            took.push(joined??);
        }
    }
    while let Some(joined) = sending.join_next().await {
        took.push(joined??);
    }
    wait_for_sum(client, &keys, i64::from(signals)).await?;
    Ok(took)
}

pub(super) async fn wait_for_sum(
    client: &DurableClient,
    keys: &[String],
    wanted: i64,
) -> Result<()> {
    loop {
        let mut sum = 0;
        for key in keys {
            let state: Option<Counter> =
                client.read_entity_state(Counter::id(key.as_str())).await?;
            sum += state.map_or(0, |state| state.value);
        }
        if sum >= wanted {
            return check("signals", &sum, &wanted);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
