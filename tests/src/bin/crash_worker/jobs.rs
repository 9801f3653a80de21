//! Messages that are being worked on while the process is killed.

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
}

impl Jobs {
    pub(crate) fn new(directory: &std::path::Path) -> Self {
        Self {
            journal: Journal::new(directory.join("jobs")),
            hold: directory.join("hold"),
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
