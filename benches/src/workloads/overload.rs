//! What a host does that is asked for more than it can do: how much it takes, what that costs in memory,
//! and how long others wait for an answer meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use durable_runtime::Result;
use durable_runtime::client::{ClientError, DurableClient, InstanceQuery, RuntimeStatus};
use durable_runtime::host::HostOptions;
use futures_util::TryStreamExt;
use tokio::task::{JoinHandle, JoinSet};

use super::{check, http};
use crate::functions;
use crate::load::Connection;
use crate::measure::{Durations, mebibytes, resident_memory};
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const CLIENTS: u32 = 1_000;
const CONNECTIONS: u32 = 200;
/// With activities of [`functions::TAKES`] that makes 2,000 a second, less than are asked for.
const ACTIVITIES: usize = 20;
/// How long a client that was told to try again waits before it does.
const PAUSE: Duration = Duration::from_millis(10);
/// How often memory is looked at, and how often a status is read.
const SAMPLE: Duration = Duration::from_millis(100);
const READ: Duration = Duration::from_millis(2);
/// What is to be reached: of reads of statuses, in milliseconds, and of memory in the second half of the
/// time over that in the first.
const SLOWEST_READ: f64 = 50.0;
const GROWTH: f64 = 1.1;

/// Starts from clients in this process.
pub(super) async fn run(site: &Site, report: Report, time: Duration) -> Result<Report> {
    let host = site.host_with(options()).await?;
    let client = host.client();
    let report = overload(&client, report, time, |watch| {
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(start_until_over(client.clone(), Arc::clone(&watch)));
        }
        clients
    })
    .await?;
    host.shutdown().await?;
    Ok(report)
}

/// Starts over HTTP.
pub(super) async fn run_http(site: &Site, report: Report, time: Duration) -> Result<Report> {
    let host = site.host_with_http_and(options()).await?;
    let server = http::address(&host)?;
    let report = overload(&host.client(), report, time, |watch| {
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            clients.spawn(post_until_over(server, Arc::clone(&watch)));
        }
        clients
    })
    .await?;
    host.shutdown().await?;
    Ok(report)
}

fn options() -> HostOptions {
    HostOptions {
        max_concurrent_activities: ACTIVITIES,
        ..HostOptions::default()
    }
}

/// What the clients count, and when they end.
#[derive(Debug, Default)]
struct Tally {
    next: AtomicU32,
    accepted: AtomicU32,
    busy: AtomicU32,
    is_over: AtomicBool,
}

impl Tally {
    /// The number of the next start; `None` when there are to be no more.
    fn next(&self) -> Option<u32> {
        let is_over = self.is_over.load(Ordering::Relaxed);
        (!is_over).then(|| self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn accepted(&self) -> u32 {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn overload(
    client: &DurableClient,
    report: Report,
    time: Duration,
    clients: impl FnOnce(Arc<Tally>) -> JoinSet<Result<()>>,
) -> Result<Report> {
    let first = client.start_new::<functions::slow>(0_u64).await?;
    first.output().await?;
    let tally = Arc::new(Tally::default());
    let began = Instant::now();
    let mut clients = clients(Arc::clone(&tally));
    let reading = read_statuses(client.clone(), first.id().to_owned(), Arc::clone(&tally));
    let memory = watch_memory(Arc::clone(&tally));
    tokio::time::sleep(time).await;
    let (taken, done) = (began.elapsed(), functions::slow_ones_done());
    tally.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    let reads = reading.await??;
    let memory = memory.await??;
    let accepted = tally.accepted();
    let rest = Instant::now();
    while functions::slow_ones_done() <= accepted {
        tokio::time::sleep(SAMPLE).await;
    }
    until_all_have_ended(client).await?;
    let rest = rest.elapsed();
    // With the one whose status was read.
    check("overload", &completed(client).await?, &(accepted + 1))?;
    let busy = tally.busy.load(Ordering::Relaxed);
    let (first_half, second_half) = memory.split_at(memory.len() / 2);
    let most = |half: &[u64]| mebibytes(half.iter().copied().max().unwrap_or_default());
    Ok(report
        .with(Figure::rate("accepted", accepted, taken, "starts/s"))
        .with(Figure::rate("completed", done, taken, "orchestrations/s"))
        .with(Figure::rate("busy", busy, taken, "answers/s"))
        .with(Figure::new("memory", most(&memory), "MB"))
        .with(
            Figure::new(
                "growth in the second half",
                most(second_half) / most(first_half),
                "",
            )
            .floor(Floor::AtMost(GROWTH)),
        )
        .with(Figure::time("read p50", reads.median()))
        .with(Figure::time("p99", reads.percentile(99)).floor(Floor::AtMost(SLOWEST_READ)))
        .with(Figure::time("slowest", reads.percentile(100)))
        .with(Figure::time("all done after", rest)))
}

async fn start_until_over(client: DurableClient, tally: Arc<Tally>) -> Result<()> {
    while let Some(number) = tally.next() {
        match client.start_new::<functions::slow>(u64::from(number)).await {
            Ok(_) => drop(tally.accepted.fetch_add(1, Ordering::Relaxed)),
            Err(ClientError::Busy { .. }) => {
                tally.busy.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn post_until_over(server: SocketAddr, tally: Arc<Tally>) -> Result<()> {
    let mut connection = Connection::open(server).await?;
    while let Some(number) = tally.next() {
        let request = http::request("POST", "orchestrators/slow", &number.to_string());
        let (head, body) = connection.send(&request).await?;
        if head.starts_with("HTTP/1.1 503") {
            http::expect(head, "503", body, "\"error\":")?;
            http::expect(head, "503", head, "retry-after: ")?;
            tally.busy.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        } else {
            http::expect(head, "202", body, "\"statusQueryGetUri\":")?;
            tally.accepted.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Reads a status again and again, and gives how long each read took.
fn read_statuses(
    client: DurableClient,
    id: String,
    tally: Arc<Tally>,
) -> JoinHandle<Result<Durations>> {
    tokio::spawn(async move {
        let mut times = Vec::new();
        while !tally.is_over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let status = client.get_status(&id).await?;
            times.push(began.elapsed());
            let status = status.map(|status| status.runtime_status);
            check("status", &status, &Some(RuntimeStatus::Completed))?;
            tokio::time::sleep(READ).await;
        }
        Ok(Durations::new(times))
    })
}

fn watch_memory(tally: Arc<Tally>) -> JoinHandle<Result<Vec<u64>>> {
    tokio::spawn(async move {
        let mut samples = Vec::new();
        while !tally.is_over.load(Ordering::Relaxed) {
            samples.push(resident_memory()?);
            tokio::time::sleep(SAMPLE).await;
        }
        Ok(samples)
    })
}

async fn until_all_have_ended(client: &DurableClient) -> Result<()> {
    let running = InstanceQuery::new()
        .statuses([RuntimeStatus::Pending, RuntimeStatus::Running])
        .page_size(1);
    while !client
        .list_instances(running.clone())
        .await?
        .instances
        .is_empty()
    {
        tokio::time::sleep(SAMPLE).await;
    }
    Ok(())
}

/// How many have completed.
async fn completed(client: &DurableClient) -> Result<u32> {
    let completed = InstanceQuery::new()
        .status(RuntimeStatus::Completed)
        .page_size(1_000)
        .without_input();
    let completed = client.list_instances(completed).stream();
    Ok(completed
        .try_fold(0, async |count, _| Ok(count + 1))
        .await?)
}
