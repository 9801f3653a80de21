//! What orchestrations that wait cost in memory: while they are kept there, and when they were let go.

use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::DurableClient;
use durable_runtime::host::HostOptions;

use super::check;
use super::events::{raise_all, start_waiting};
use crate::measure::{Usage, mebibytes, resident_memory};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const ORCHESTRATIONS: u32 = 10_000;
/// Of the usual number of them.
const MOST_IN_MEMORY: f64 = 60.0;
const MOST_LET_GO: f64 = 15.0;
/// Longer than all starts take, so that all are in memory when that is measured.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long after their time was up it is waited for them to be let go.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let options = HostOptions {
        idle_timeout: IDLE_TIMEOUT,
        ..HostOptions::default()
    };
    let host = site.host_with(options.clone()).await?;
    raise_all(start_waiting(&host.client(), 10).await?).await?;
    let idle = resident_memory()?;
    let before = Usage::of(&host)?;
    let count = site.load(ORCHESTRATIONS);
    let waiting = start_waiting(&host.client(), count).await?;
    let used = before.since()?;
    let ids: Vec<String> = waiting.iter().map(|run| run.id().to_owned()).collect();
    // Handles have a place in the host for the one who waits, which is not the orchestration's.
    drop(waiting);
    let in_memory = over(idle)?;
    let times = f64::from(site.load(1));
    let let_go = wait_until_let_go(idle, MOST_LET_GO * times).await?;
    check_some(&host.client(), &ids).await?;
    host.shutdown().await?;
    Ok(report
        .with(Figure::new("idle host", mebibytes(idle), "MB"))
        .with(
            Figure::new("in memory", in_memory, "MB").floor(Floor::AtMost(MOST_IN_MEMORY * times)),
        )
        .with(Figure::new("let go", let_go, "MB").floor(Floor::AtMost(MOST_LET_GO * times)))
        .with_cost(&used, count, "start"))
}

/// The same number of orchestrations on a host that lets all but a few go as soon as they wait: what
/// they take when they are let go, without what the allocator keeps of the time before.
pub(super) async fn run_evicted(site: &Site, report: Report) -> Result<Report> {
    let host = site
        .host_with(HostOptions {
            max_cached_instances: 100,
            ..HostOptions::default()
        })
        .await?;
    let client = host.client();
    raise_all(start_waiting(&client, 10).await?).await?;
    let idle = resident_memory()?;
    let before = Usage::of(&host)?;
    let count = site.load(ORCHESTRATIONS);
    let waiting = start_waiting(&client, count).await?;
    let used = before.since()?;
    let ids: Vec<String> = waiting.iter().map(|run| run.id().to_owned()).collect();
    drop(waiting);
    let times = f64::from(site.load(1));
    let evicted = over(idle)?;
    check_some(&client, &ids).await?;
    host.shutdown().await?;
    Ok(report
        .with(Figure::new("let go", evicted, "MB").floor(Floor::AtMost(MOST_LET_GO * times)))
        .with_cost(&used, count, "start"))
}

/// They are still there: an event finds each of them.
async fn check_some(client: &DurableClient, ids: &[String]) -> Result<()> {
    for id in ids.iter().step_by(100) {
        client.raise_event(id, "go", 7).await?;
        let status = client.wait_for_completion(id, PATIENCE).await?;
        let output: u64 = status.output_as()?;
        check("parked", &output, &7)?;
    }
    Ok(())
}

/// How much more memory is resident now, in mebibytes; less counts as nothing.
fn over(idle: u64) -> Result<f64> {
    Ok(mebibytes(resident_memory()?.saturating_sub(idle)))
}

/// Waits until memory is at most what is `wanted`, or does not get there; gives the least there was.
async fn wait_until_let_go(idle: u64, wanted: f64) -> Result<f64> {
    let deadline = Instant::now() + IDLE_TIMEOUT + PATIENCE;
    let mut least = over(idle)?;
    while least > wanted && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        least = least.min(over(idle)?);
    }
    Ok(least)
}
