//! A schedule that starts a batch: every two seconds a timer starts the orchestration `bill_customers`,
//! under an id that is made of the due time. So whatever happens, no due time is billed twice: a start that
//! is repeated finds the instance of that id, and leaves it alone.
//!
//! Each bill is a line in `./scheduled_batch.txt`, and the program ends when three batches are done.
//!
//! Kill it at any time, and start it again. A due time that came up meanwhile is made up for, and a batch
//! that was under way goes on where it was. With Ctrl-C it stops in good order.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::time::Duration;

use durable_runtime::client::{InstanceQuery, OnExisting, RuntimeStatus};
use durable_runtime::prelude::*;

const BILLS: &str = "scheduled_batch.txt";
const CUSTOMERS: [&str; 3] = ["ann", "bob", "cid"];
const BATCHES: usize = 3;

/// A bill that is there is not written again: an activity may be run twice.
#[activity]
fn bill(batch: String, customer: String) -> Result<()> {
    let line = format!("{batch} {customer}");
    let bills = fs::read_to_string(BILLS).unwrap_or_default();
    if bills.lines().any(|known| known == line) {
        return Ok(());
    }
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(BILLS)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

#[orchestrator]
async fn bill_customers(ctx: OrchestrationContext) -> Result<usize> {
    for customer in CUSTOMERS {
        let bill = (ctx.instance_id().to_owned(), customer.to_owned());
        ctx.call_activity::<bill>(bill).await?;
    }
    Ok(CUSTOMERS.len())
}

#[durable_client(timer("*/2 * * * * *"))]
async fn start_billing(client: DurableClient, timer: TimerInfo) -> Result<()> {
    let batch = timer
        .scheduled
        .format("bills-%Y-%m-%d-%H-%M-%S")
        .to_string();
    let late = if timer.is_past_due { ", late" } else { "" };
    println!("{batch}{late}");
    client
        .start_new::<bill_customers>(())
        .instance_id(batch)
        .on_existing(OnExisting::Ignore)
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("ScheduledBatch")
        .start()
        .await?;
    tokio::select! {
        done = wait_for_batches(host.client()) => done?,
        stopped = host.run_until_signal() => return Ok(stopped?),
    }
    host.shutdown().await?;
    let bills = fs::read_to_string(BILLS)?;
    let distinct: BTreeSet<_> = bills.lines().collect();
    println!(
        "{} bills, {} twice",
        distinct.len(),
        bills.lines().count() - distinct.len()
    );
    Ok(())
}

/// Waits until enough batches are done.
async fn wait_for_batches(client: DurableClient) -> Result<()> {
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        look.tick().await;
        let done = InstanceQuery::new()
            .id_prefix("bills-")
            .status(RuntimeStatus::Completed);
        let page = client.list_instances(done).await?;
        if page.instances.len() >= BATCHES {
            return Ok(());
        }
    }
}
