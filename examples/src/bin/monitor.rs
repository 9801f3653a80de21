//! A monitor: looks again and again, at growing intervals, whether something has happened, and
//! gives up after two minutes.
//!
//! ```text
//! monitor [FILE]
//! ```
//!
//! waits until `FILE` (`monitor.ready` unless told) exists. Kill it and start it again: the
//! intervals go on where they were, and the two minutes count from the first start. A check that
//! came due in between is made at once. Then `touch monitor.ready`, before or after a restart.

use std::path::PathBuf;
use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;

const FIRST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(15);
const EXPIRY: Duration = Duration::from_secs(120);

#[activity]
fn file_exists(file: PathBuf) -> Result<bool> {
    let exists = file.try_exists()?;
    let found = if exists { "is there" } else { "is not there" };
    println!("checked: {} {found}", file.display());
    Ok(exists)
}

#[orchestrator]
async fn monitor(ctx: OrchestrationContext, file: PathBuf) -> Result<bool> {
    let expiry = ctx.current_utc_datetime() + EXPIRY;
    let mut interval = FIRST_INTERVAL;
    loop {
        if ctx.call_activity::<file_exists>(file.clone()).await? {
            return Ok(true);
        }
        let now = ctx.current_utc_datetime();
        if now >= expiry {
            return Ok(false);
        }
        ctx.create_timer(expiry.min(now + interval)).await;
        interval = LONGEST_INTERVAL.min(interval * 2);
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let file = arguments.next().unwrap_or_else(|| "monitor.ready".into());
    if arguments.next().is_some() {
        return Err(Error::msg("usage: monitor [FILE]"));
    }
    let host = DurableHost::builder().task_hub("Monitor").start().await?;
    let client = host.client();
    // If the last run of this program was killed, its monitor is there and is joined.
    let run = client
        .start_new::<monitor>(file)
        .instance_id("monitor")
        .on_existing(OnExisting::Ignore)
        .await?;
    if let Some(file) = run.status().await?.input {
        println!("waiting for the file {file}");
    }
    let found = run.output().await;
    client.purge(run.id()).await?;
    host.shutdown().await?;
    let outcome = if found? { "found it" } else { "gave up" };
    println!("{outcome}");
    Ok(())
}
