//! Very many orchestrations that get what they wait for at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use durable_runtime::client::{DurableClient, OrchestrationRun};
use durable_runtime::{Error, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{check, in_flight};
use crate::functions;
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const ORCHESTRATIONS: u32 = 10_000;
const CLIENTS: u32 = 200;
/// How many events are on their way at a time, at most.
const IN_FLIGHT: usize = 20_000;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let host = site.host().await?;
    let count = site.load(ORCHESTRATIONS);
    raise_all(start_waiting(&host.client(), count / 20).await?).await?;
    let waiting = start_waiting(&host.client(), count).await?;
    let before = Usage::of(&host)?;
    let took = raise_all(waiting).await?;
    let used = before.since()?;
    host.shutdown().await?;
    let rate = Figure::rate("rate", count, used.time, "events/s");
    Ok(report
        .with(rate.floor(Floor::AtLeast(40_000.0)))
        .with_times(took)
        .with_cost(&used, count, "event"))
}

/// Starts orchestrations that wait for an event.
pub(super) async fn start_waiting(
    client: &DurableClient,
    count: u32,
) -> Result<Vec<OrchestrationRun<u64>>> {
    let client = client.clone();
    in_flight(CLIENTS, count, move |_| {
        let client = client.clone();
        async move { Ok(client.start_new::<functions::wait_for_go>(()).await?) }
    })
    .await
}

/// Raises the event that each run waits for, as many at a time as a host takes well, and waits until all
/// have ended; gives how long each took from then on.
pub(super) async fn raise_all(waiting: Vec<OrchestrationRun<u64>>) -> Result<Vec<Duration>> {
    let places = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut raising = JoinSet::new();
    for (number, run) in (0_u64..).zip(waiting) {
        let place = Arc::clone(&places)
            .acquire_owned()
            .await
            .map_err(Error::from)?;
        raising.spawn(async move {
            let began = Instant::now();
            run.raise_event("go", number).await?;
            drop(place);
            check("events", &run.output().await?, &number)?;
            Ok::<_, Error>(began.elapsed())
        });
    }
    let mut took = Vec::new();
    while let Some(joined) = raising.join_next().await {
        took.push(joined??);
    }
    Ok(took)
}
