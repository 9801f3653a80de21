//! Retries: by a policy, by a handler that looks at the error, and of an error that is not to be
//! retried at all.
//!
//! Kill it in the middle and start it again: the attempts made are made, and the delay between two
//! of them goes on from where it began. The services count their calls in files (`retry.*.calls`), so
//! that they are as flaky after a restart as before.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// What the library says when too many want to read.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum LibraryError {
    #[error("busy, {readers} readers are waiting")]
    Busy { readers: u32 },
    #[error("the counter is broken: {0}")]
    Broken(String),
}

/// Fails twice, then succeeds.
#[activity]
fn download() -> Result<String> {
    match count_call("download")? {
        call @ 1..=2 => Err(Error::msg(format!("connection lost ({call})"))),
        call => Ok(format!("downloaded with call {call}")),
    }
}

/// Is busy three times, then succeeds. The orchestrator gets the error itself to see.
#[activity]
fn borrow_book() -> Result<String, LibraryError> {
    let call =
        count_call("borrow_book").map_err(|error| LibraryError::Broken(error.to_string()))?;
    match 4_u32.saturating_sub(call) {
        0 => Ok(format!("borrowed with call {call}")),
        readers => Err(LibraryError::Busy { readers }),
    }
}

/// Always fails, in a way that trying again cannot mend.
#[activity]
fn pay() -> Result<()> {
    let call = count_call("pay")?;
    Err(Error::non_retriable(format!("card expired ({call})")))
}

#[activity]
fn forget_calls() -> Result<()> {
    for service in ["download", "borrow_book", "pay"] {
        match fs::remove_file(counter(service)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

#[orchestrator]
async fn retry(ctx: OrchestrationContext) -> Result<Vec<String>> {
    // Delays of 0.5 s, 1 s, 2 s, 4 s, 4 s, ..
    let policy = RetryPolicy::new(10, Duration::from_millis(500))
        .backoff(2.0)
        .max_interval(Duration::from_secs(4));

    let downloaded = ctx
        .call_activity::<download>(())
        .retry(policy.clone())
        .await?;

    // The policy gives the delays, the handler decides: only as long as few others wait.
    let borrowed = ctx
        .call_activity::<borrow_book>(())
        .retry(policy.clone())
        .retry_if(|attempt| {
            let error = attempt.last_failure().details();
            matches!(error, Some(LibraryError::Busy { readers }) if readers < 10)
        })
        .await?;

    let paid = match ctx.call_activity::<pay>(()).retry(policy).await {
        Ok(()) => "paid".to_owned(),
        Err(error) => error.to_string(),
    };

    ctx.call_activity::<forget_calls>(()).await?;
    Ok(vec![downloaded, borrowed, paid])
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder().task_hub("Retry").start().await?;
    let client = host.client();
    // If the last run of this program was killed, its orchestration is there and is joined.
    let run = client
        .start_new::<retry>(())
        .instance_id("retry")
        .on_existing(OnExisting::Ignore)
        .await?;
    let outcomes = run.output().await;
    client.purge(run.id()).await?;
    host.shutdown().await?;
    for outcome in outcomes? {
        println!("{outcome}");
    }
    Ok(())
}

/// The number of calls of a service, this one included.
fn count_call(service: &str) -> Result<u32> {
    let file = counter(service);
    let call = match fs::read_to_string(&file) {
        // Empty if the program was killed just here.
        Ok(calls) => calls.trim().parse().unwrap_or(0) + 1,
        Err(error) if error.kind() == ErrorKind::NotFound => 1,
        Err(error) => return Err(error.into()),
    };
    fs::write(&file, call.to_string())?;
    println!("{service}: call {call}");
    Ok(call)
}

fn counter(service: &str) -> String {
    format!("retry.{service}.calls")
}
