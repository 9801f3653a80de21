//! A program to be killed: runs a host on a `SQLite` file.
//!
//! `crash_worker mix <database> <directory> <name> <lease seconds> <batches>` starts instances, batch by
//! batch (at most so many more), and ends when all have ended. What was acknowledged is noted in the
//! directory, under its name, and not done again by the next run: it is up to the task hub not to lose it.
//!
//! `crash_worker soak <database> <directory> <name> <lease seconds> <batches>` goes on and on, and leaves
//! nothing behind of a batch that has ended: it compares the outputs with those in the file `expected` of
//! the directory, and purges the instances. After so many batches it stops its host and starts another. It
//! ends when there is a file `stop` in the directory.
//!
//! `crash_worker serve <database> <directory> <lease seconds> <attempts>` runs the host until its
//! input ends or the host stops by itself, and prints `ready`. A line of its input, `start <orchestrator>
//! <id>`, starts an instance through the host, and is answered by `started <id>` or `refused <id>: <why>`;
//! `wait <id>` by `ended <id>`. What was started is noted in the directory, too.
//!
//! What the host logs is in the file `log` of the directory.

mod bank;
mod jobs;
mod load;
mod serve;
mod work;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use jobs::Jobs;
use load::Load;
use work::Journal;

/// The name of the hub in every test.
const HUB: &str = "crash";

#[tokio::main]
async fn main() -> Result<()> {
    run()
        .await
        .inspect_err(|error| tracing::error!(%error, "the program ends"))
}

async fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| Error::msg(what));
    let mode = next("the mode is missing")?;
    let database = PathBuf::from(next("the database is missing")?);
    let directory = PathBuf::from(next("the directory is missing")?);
    log_to(&directory.join("log"))?;
    let number = |text: String| text.parse::<u32>();
    if mode == "serve" {
        let lease = number(next("the lease is missing")?)?;
        let attempts = number(next("the attempts are missing")?)?;
        let journal = Journal::new(directory.join("journal"));
        let host = host(&database, &directory, journal, lease, attempts).await?;
        println!("ready");
        let client = host.client();
        let acknowledged = Journal::new(directory.join("acknowledged"));
        tokio::select! {
            () = serve::serve(&client, &acknowledged) => {}
            stopped = host.run_until_signal() => return Ok(stopped?),
        }
        return Ok(host.shutdown().await?);
    }
    let name = next("the name is missing")?;
    let lease = number(next("the lease is missing")?)?;
    let batches = number(next("the number of batches is missing")?)?;
    loop {
        let is_soak = mode == "soak";
        // What activities note would grow for ever.
        let journal = if is_soak {
            Journal::nowhere(&directory)
        } else {
            Journal::new(directory.join("journal"))
        };
        // A crash counts against whatever runs at the time, and there are many.
        let host = host(&database, &directory, journal, lease, u32::MAX).await?;
        let load = Load::new(host.client(), &directory, &name);
        if !is_soak {
            load.run(batches).await?;
            return Ok(host.shutdown().await?);
        }
        load.soak(batches).await?;
        host.shutdown().await?;
        if load.is_to_stop() {
            return Ok(());
        }
    }
}

async fn host(
    database: &Path,
    directory: &Path,
    journal: Journal,
    lease_seconds: u32,
    max_activity_attempts: u32,
) -> Result<DurableHost> {
    let host = DurableHost::builder()
        .task_hub(HUB)
        .storage(Sqlite::open(database)?)
        .state(journal)
        .state(Jobs::new(directory))
        .options(HostOptions {
            lease_duration: Duration::from_secs(lease_seconds.into()),
            max_activity_attempts,
            replay_check: true,
            ..HostOptions::default()
        });
    Ok(host.start().await?)
}

fn log_to(path: &Path) -> Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    tracing_subscriber::fmt()
        .with_writer(file)
        .with_ansi(false)
        .init();
    Ok(())
}
