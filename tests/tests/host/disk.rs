//! Rule 46: a full disk.

use std::time::Duration;

use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::{Sqlite, StorageError};

use crate::fixture::{eventually, host};
use crate::process::{PATIENCE, Site};

/// Longer than a start takes when there is room.
const A_WHILE: Duration = Duration::from_secs(1);

#[activity]
async fn length(text: String) -> Result<usize> {
    Ok(text.len())
}

#[orchestrator]
async fn measure(ctx: OrchestrationContext, text: String) -> Result<usize> {
    Ok(ctx.call_activity::<length>(text).await?)
}

/// Rule 46: a start on a full disk waits and is not acknowledged; when there is room again, all goes
/// on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn work_waits_while_the_disk_is_full() {
    let text = "x".repeat(100_000);
    let site = Site::new();
    let storage = Sqlite::options()
        .max_bytes(2 << 20)
        .open(site.database())
        .unwrap();
    let host = host(storage.clone(), HostOptions::default())
        .register::<length>()
        .register::<measure>()
        .start()
        .await
        .unwrap();
    let client = host.client();
    let mut acknowledged = Vec::new();
    let (waiting, mut start) = loop {
        let id = format!("instance-{}", acknowledged.len());
        let start = client.start_new::<measure>(text.clone()).instance_id(&id);
        let mut start = Box::pin(start.into_future());
        match tokio::time::timeout(A_WHILE, &mut start).await {
            Ok(run) => acknowledged.push(run.unwrap().id().to_owned()),
            Err(_) => break (id, start),
        }
        assert!(acknowledged.len() < 100, "the disk is never full");
    };
    assert!(!acknowledged.is_empty(), "it was full from the beginning");
    // What was not acknowledged is not there, and what was acknowledged is.
    assert_eq!(client.get_status(&waiting).await.unwrap(), None);
    for id in &acknowledged {
        assert!(
            client.get_status(id).await.unwrap().is_some(),
            "{id} is lost"
        );
    }

    storage.set_max_bytes(1 << 30).unwrap();
    let run = tokio::time::timeout(PATIENCE, &mut start)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(run.id(), waiting);
    acknowledged.push(waiting);
    for id in acknowledged {
        let status = client.wait_for_completion(&id, PATIENCE).await.unwrap();
        assert_eq!(status.runtime_status, RuntimeStatus::Completed, "{id}");
        assert_eq!(status.output_as::<usize>().unwrap(), text.len());
    }
    host.shutdown().await.unwrap();
}

/// Rule 46: a host whose file is deleted stops, and whoever waits for it is told why.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_file_is_deleted_tells_its_clients() {
    let site = Site::new();
    let storage = Sqlite::open(site.database()).unwrap();
    let host = host(storage, HostOptions::default())
        .register::<length>()
        .register::<measure>()
        .start()
        .await
        .unwrap();
    let client = host.client();
    let run = client.start_new::<measure>("before").await.unwrap();
    assert_eq!(run.output().await.unwrap(), 6);
    std::fs::remove_file(site.database()).unwrap();
    let start = client.start_new::<measure>("after").into_future();
    let started = tokio::time::timeout(PATIENCE, start).await.unwrap();
    assert!(started.is_err(), "acknowledged");
    // While it stops, it is only said that it does.
    let place = eventually("the client is told", async || {
        match client.start_new::<measure>("later").await {
            Err(ClientError::Storage(StorageError::Lost { place, .. })) => Some(place),
            Err(ClientError::Busy { .. }) => None,
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(place.await, site.database().display().to_string());
    match client.get_status(run.id()).await {
        Err(ClientError::Storage(StorageError::Lost { .. })) => {}
        other => panic!("{other:?}"),
    }
    let stopped = tokio::time::timeout(PATIENCE, host.run_until_signal()).await;
    let error = stopped.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("it was deleted or moved away"),
        "{error}"
    );
    assert!(host.shutdown().await.is_err());
}
