//! Activities that keep a thread from all that is async.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::fixture::{Log, host};

/// More than what is reported.
const LONG: Duration = Duration::from_millis(250);

#[activity]
async fn blocks() -> Result<()> {
    let (_sender, receiver) = channel::<()>();
    assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Timeout));
    Ok(())
}

#[orchestrator]
async fn blocks_twice(ctx: OrchestrationContext) -> Result<()> {
    for _ in 0..2 {
        ctx.call_activity::<blocks>(()).await?;
    }
    Ok(())
}

// On one thread, for the log is that of a thread.
#[tokio::test]
async fn an_activity_that_blocks_is_reported_once() {
    let log = Log::default();
    let _logs = tracing::subscriber::set_default(log.subscriber());
    let host = host(Memory::new(), HostOptions::default())
        .register::<blocks>()
        .register::<blocks_twice>()
        .start()
        .await
        .unwrap();
    let run = host.client().start_new::<blocks_twice>(()).await.unwrap();
    run.output().await.unwrap();
    host.shutdown().await.unwrap();
    let text = log.text();
    let mut reports = text
        .lines()
        .filter(|line| line.contains("activity=blocks "));
    let report = reports.next().unwrap();
    assert!(report.contains("WARN"), "{report}");
    assert!(report.contains("make it a plain `fn`"), "{report}");
    assert_eq!(reports.next(), None, "{text}");
}
