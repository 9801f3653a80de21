//! Messages and due times that are being worked on while the process is killed.

use std::path::PathBuf;
use std::time::Duration;

use durable_runtime::prelude::*;

use crate::work::Journal;

/// Where it is noted what was begun and done.
#[derive(Debug)]
pub(crate) struct Jobs {
    journal: Journal,
    /// While this file is there, nothing that was begun gets done.
    hold: PathBuf,
    /// Where due times are noted, if there is such a file.
    ticks: PathBuf,
}

impl Jobs {
    pub(crate) fn new(directory: &std::path::Path) -> Self {
        Self {
            journal: Journal::new(directory.join("jobs")),
            hold: directory.join("hold"),
            ticks: directory.join("ticks"),
        }
    }
}

#[durable_client(queue("jobs"))]
async fn on_job(_client: DurableClient, State(jobs): State<Jobs>, job: String) -> Result<()> {
    jobs.journal.append(&format!("begun {job}"))?;
    if job == "kill" {
        std::process::abort();
    }
    while jobs.hold.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    jobs.journal.append(&format!("done {job}"))?;
    Ok(())
}

#[durable_client(timer("* * * * * *"))]
async fn tick(_client: DurableClient, State(jobs): State<Jobs>, timer: TimerInfo) -> Result<()> {
    if jobs.ticks.exists() {
        let due = timer.scheduled.timestamp();
        Journal::new(&jobs.ticks).append(&due.to_string())?;
    }
    Ok(())
}
