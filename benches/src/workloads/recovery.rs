//! How fast a hub goes on whose process was killed with very much under way.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use durable_runtime::client::{DurableClient, InstanceQuery, RuntimeStatus};
use durable_runtime::{Error, Result};

use super::{check, in_flight};
use crate::functions::{self, FIRST_PASS};
use crate::measure::Usage;
use crate::report::{Figure, Floor, Report};
use crate::site::{Site, StorageChoice};

const ORCHESTRATIONS: u32 = 100_000;
const CLIENTS: u32 = 200;
/// What the process prints that is to be killed.
const READY: &str = "ready";
/// How many of the instances are looked at.
const SAMPLE: usize = 1_000;

/// The argument with which this program is the process that is killed.
pub(crate) const HOLD: &str = "--hold";

pub(super) async fn run(site: &Site, report: Report) -> Result<Report> {
    let count = site.load(ORCHESTRATIONS);
    kill_holder(site, count)?;
    let began = Instant::now();
    let host = site.host().await?;
    let before = Usage::of(&host)?;
    let client = host.client();
    wait_until_none_runs(&client).await?;
    let all = began.elapsed();
    let used = before.since()?;
    let first = FIRST_PASS.get().copied();
    let first = first.ok_or_else(|| Error::msg("no activity was run again"))?;
    check_outputs(&client, count).await?;
    host.shutdown().await?;
    let first = Figure::time("first step after", first - began);
    let all = Figure::time("all ended after", all);
    Ok(report
        .with(first.floor(Floor::AtMost(2_000.0)))
        .with(all.floor(Floor::AtMost(10_000.0)))
        .with_cost(&used, count, "orchestration"))
}

/// Has a process bring the orchestrations to where each waits for an activity, and kills it.
fn kill_holder(site: &Site, count: u32) -> Result<()> {
    let mut holder = Command::new(std::env::current_exe()?)
        .arg(HOLD)
        .arg(std::path::absolute(site.file()?)?)
        .arg(count.to_string())
        // What it leaves behind goes with the rest.
        .current_dir(site.directory())
        .stdout(Stdio::piped())
        .spawn()?;
    let ready = wait_for_line(&mut holder);
    holder.kill()?;
    holder.wait()?;
    check(
        "the process that was to be killed",
        &ready?,
        &READY.to_owned(),
    )
}

fn wait_for_line(process: &mut Child) -> Result<String> {
    let output = process.stdout.take();
    let output = output.ok_or_else(|| Error::msg("the process has no output"))?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Is the process that is killed.
pub(crate) async fn hold(file: &str, count: &str) -> Result<()> {
    let count: u32 = count.parse()?;
    let site = Site::new(&StorageChoice::File(file.into()), 1)?;
    let host = site.host_with_closed_gate().await?;
    let client = host.client();
    in_flight(CLIENTS, count, move |number| {
        let client = client.clone();
        async move {
            let start = client.start_new::<functions::go_through>(u64::from(number));
            start.instance_id(id(number)).await?;
            Ok(())
        }
    })
    .await?;
    wait_until(&host.client(), RuntimeStatus::Pending).await?;
    println!("{READY}");
    std::future::pending().await
}

fn id(number: u32) -> String {
    format!("held-{number}")
}

async fn wait_until_none_runs(client: &DurableClient) -> Result<()> {
    wait_until(client, RuntimeStatus::Running).await
}

/// Waits until no instance has this status.
async fn wait_until(client: &DurableClient, none_is: RuntimeStatus) -> Result<()> {
    loop {
        let query = InstanceQuery::new().status(none_is).page_size(1);
        if client.list_instances(query).await?.instances.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn check_outputs(client: &DurableClient, count: u32) -> Result<()> {
    let step = (count as usize / SAMPLE).max(1);
    for number in (0..count).step_by(step) {
        let status = client.get_status(id(number)).await?;
        let status = status.ok_or_else(|| Error::msg("an orchestration is lost"))?;
        check("recovery", &status.output_as::<u64>()?, &u64::from(number))?;
    }
    Ok(())
}
