//! Very many orchestrations that wait: how large the file and the process become, and how long it takes to
//! look at a page of them.

use std::path::Path;
use std::time::{Duration, Instant};

use durable_runtime::client::{DurableClient, InstanceQuery, RuntimeStatus};
use durable_runtime::{Error, Result};

use super::check;
use super::events::start_waiting;
use crate::measure::{Durations, Usage, mebibytes, resident_memory};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const ORCHESTRATIONS: u32 = 1_000_000;
/// How many are started before their handles are let go.
const AT_A_TIME: u32 = 10_000;
/// Pages that are looked at, of 100 instances each.
const PAGES: u32 = 500;

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let file = site.file()?;
    let host = site.host().await?;
    let client = host.client();
    let count = site.load(ORCHESTRATIONS);
    let before = Usage::of(&host)?;
    for _ in 0..count / AT_A_TIME {
        start_waiting(&client, AT_A_TIME).await?;
    }
    let used = before.since()?;
    let pages = look_through(&client).await?;
    host.shutdown().await?;
    let bytes = mebibytes(size(file)?);
    let began = Instant::now();
    let host = site.host().await?;
    let opening = began.elapsed();
    let goes_on = goes_on(&host.client()).await?;
    let opened = mebibytes(resident_memory()?);
    host.shutdown().await?;
    let times = f64::from(site.load(1));
    let rate = Figure::rate("started at", count, used.time, "starts/s");
    Ok(report
        .with(Figure::new("on disk", bytes, "MB").floor(Floor::AtMost(1024.0 * times)))
        .with(
            Figure::new("resident memory", mebibytes(used.resident), "MB")
                .floor(Floor::AtMost(200.0 * times)),
        )
        .with(Figure::time("page p50", pages.median()))
        .with(Figure::time("page p99", pages.percentile(99)).floor(Floor::AtMost(5.0)))
        .with(Figure::time("longest page", pages.percentile(100)))
        .with(Figure::time("new host opens it in", opening))
        .with(Figure::time("and has an event taken in", goes_on))
        .with(Figure::new("has then resident", opened, "MB"))
        .with(rate)
        .with_cost(&used, count, "start"))
}

/// Reads pages one after the other, as somebody does who leafs through the list.
async fn look_through(client: &DurableClient) -> Result<Durations> {
    let mut took = Vec::new();
    let mut token = None;
    for _ in 0..PAGES {
        let mut query = InstanceQuery::new()
            .status(RuntimeStatus::Running)
            .page_size(100);
        if let Some(token) = token {
            query = query.continuation_token(token);
        }
        let began = Instant::now();
        let page = client.list_instances(query).await?;
        took.push(began.elapsed());
        check("a page", &page.instances.len(), &100)?;
        token = page.continuation_token;
    }
    Ok(Durations::new(took))
}

/// One of them gets its event.
async fn goes_on(client: &DurableClient) -> Result<Duration> {
    let page = client
        .list_instances(InstanceQuery::new().page_size(1))
        .await?;
    let first = page.instances.first();
    let id = &first
        .ok_or_else(|| Error::msg("nothing is there"))?
        .instance_id;
    let began = Instant::now();
    client.raise_event(id, "go", 7_u64).await?;
    let status = client
        .wait_for_completion(id, Duration::from_secs(10))
        .await?;
    let took = began.elapsed();
    check("parked-many", &status.output_as::<u64>()?, &7)?;
    Ok(took)
}

/// The file, and what is beside it.
fn size(file: &Path) -> Result<u64> {
    let mut size = std::fs::metadata(file)?.len();
    for beside in ["-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(beside);
        size += std::fs::metadata(path).map_or(0, |found| found.len());
    }
    Ok(size)
}
