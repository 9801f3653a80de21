//! An eternal orchestration: every three seconds it deletes the files in `./periodic_cleanup` that
//! are older than ten, and begins anew with `continue_as_new`, so that its history never grows.
//!
//! So that there is something to delete, each round leaves a file. Put others there as you like.
//!
//! It runs until Ctrl-C. Stop it or kill it, and start it again: the rounds are counted on, and what
//! has become too old in the meantime is deleted.

use std::fs;
use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;

const FOLDER: &str = "periodic_cleanup";
const INTERVAL: Duration = Duration::from_secs(3);
const TOO_OLD: Duration = Duration::from_secs(10);

#[activity]
fn clean_up(round: u64) -> Result<()> {
    fs::create_dir_all(FOLDER)?;
    fs::write(format!("{FOLDER}/round-{round}"), "")?;
    let mut kept = 0;
    let mut deleted = Vec::new();
    for entry in fs::read_dir(FOLDER)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        // A time in the future has no age.
        let age = metadata.modified()?.elapsed().unwrap_or_default();
        if metadata.is_file() && age > TOO_OLD {
            fs::remove_file(entry.path())?;
            deleted.push(entry.file_name());
        } else {
            kept += 1;
        }
    }
    println!("round {round}: kept {kept}, deleted {deleted:?}");
    Ok(())
}

#[orchestrator]
async fn periodic_cleanup(ctx: OrchestrationContext, round: u64) -> Result<()> {
    // A disk that is full today need not be so tomorrow: a round that fails is not the end.
    let policy = RetryPolicy::new(3, Duration::from_secs(1));
    let cleaned = ctx.call_activity::<clean_up>(round).retry(policy).await;
    ctx.set_custom_status(cleaned.map_err(|error| error.to_string()))?;
    ctx.sleep(INTERVAL).await;
    ctx.continue_as_new(round + 1)
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("PeriodicCleanup")
        .start()
        .await?;
    let started = host
        .client()
        .start_new::<periodic_cleanup>(1_u64)
        .instance_id("periodic-cleanup")
        .await;
    match started {
        Ok(_) => println!("started; press Ctrl-C to stop"),
        Err(ClientError::AlreadyExists { .. }) => println!("goes on; press Ctrl-C to stop"),
        Err(error) => return Err(error.into()),
    }
    host.run_until_signal().await?;
    println!("stopped");
    Ok(())
}
