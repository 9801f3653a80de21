//! How fast instances are started and looked at over HTTP.

use std::net::SocketAddr;

use durable_runtime::host::DurableHost;
use durable_runtime::{Error, Result};

use super::in_flight;
use crate::functions;
use crate::load::Load;
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::Site;

const CONNECTIONS: u32 = 50;
const STATUS_READS: u32 = 100_000;
const STARTS: u32 = 30_000;
/// How many instances there are to look at.
const INSTANCES: u32 = 1_000;

/// Reads of the statuses of instances that have ended.
pub(super) async fn run_status(site: &Site, report: Report) -> Result<Report> {
    let host = site.host_with_http().await?;
    let client = host.client();
    in_flight(CONNECTIONS, INSTANCES, move |number| {
        let client = client.clone();
        async move {
            let start = client.start_new::<functions::trivial>(u64::from(number));
            start
                .instance_id(format!("trivial-{number}"))
                .await?
                .output()
                .await?;
            Ok(())
        }
    })
    .await?;
    let load = Load {
        server: address(&host)?,
        connections: CONNECTIONS,
        count: site.load(STATUS_READS),
        request: |number| {
            request(
                "GET",
                &format!("instances/trivial-{}", number % INSTANCES),
                "",
            )
        },
        check: |number, head, body| {
            let output = format!("\"output\":{},", number % INSTANCES);
            expect(head, "200", body, &output)
        },
    };
    let report = measure(&host, load, report, "read", Floor::AtLeast(10_000.0)).await?;
    host.shutdown().await?;
    Ok(report)
}

/// Starts of trivial orchestrations.
pub(super) async fn run_start(site: &Site, report: Report) -> Result<Report> {
    let host = site.host_with_http().await?;
    let load = Load {
        server: address(&host)?,
        connections: CONNECTIONS,
        count: site.load(STARTS),
        request: |number| request("POST", "orchestrators/trivial", &number.to_string()),
        check: |_, head, body| expect(head, "202", body, "\"statusQueryGetUri\":"),
    };
    let report = measure(&host, load, report, "start", Floor::AtLeast(3_000.0)).await?;
    host.shutdown().await?;
    Ok(report)
}

/// Sends a twentieth of the load first, and then measures all of it. Each request is a `step`.
async fn measure(
    host: &DurableHost,
    load: Load,
    report: Report,
    step: &'static str,
    floor: Floor,
) -> Result<Report> {
    let count = load.count;
    let first = Load {
        count: count / 20,
        ..load.clone()
    };
    first.send().await?;
    let before = Usage::of(host)?;
    let took = load.send().await?;
    let used = before.since()?;
    let unit = if step == "read" {
        "reads/s"
    } else {
        "starts/s"
    };
    let rate = Figure::rate("rate", count, used.time, unit).floor(floor);
    Ok(report
        .with(rate)
        .with_times(took)
        .with_cost(&used, count, step))
}

pub(super) fn address(host: &DurableHost) -> Result<SocketAddr> {
    let address = host.http_address();
    address.ok_or_else(|| Error::msg("the host serves no HTTP"))
}

pub(super) fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} /runtime/webhooks/durabletask/{path} HTTP/1.1\r\nhost: bench\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

pub(super) fn expect(head: &str, status: &str, body: &str, part: &str) -> Result<()> {
    if head
        .get("HTTP/1.1 ".len()..)
        .is_some_and(|rest| rest.starts_with(status))
        && body.contains(part)
    {
        return Ok(());
    }
    Err(Error::msg(format!(
        "{status} with {part} expected: {head}{body}"
    )))
}
