//! Clients of other processes than the owner's: they can do all that clients can, at any time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::prelude::*;

use crate::process::{PATIENCE, Process, Site};

/// A host in another process, and a client in this one.
fn apart() -> (Site, Process, DurableClient) {
    let site = Site::new();
    let owner = site.serve(15, 10);
    let client = site.connect();
    (site, owner, client)
}

/// Rules 3, 6, 7, 10 and 25, from another process.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_reaches_the_owner() {
    let (_site, owner, client) = apart();
    let start = || client.start_new_by_name("events", 1).instance_id("one");
    start().await.unwrap();
    let again = start().await.unwrap_err();
    assert!(
        matches!(again, ClientError::AlreadyExists { .. }),
        "{again}"
    );
    let status = async || {
        let status = client.get_status("one").await.unwrap().unwrap();
        status.runtime_status
    };
    client.raise_event("one", "go-0", 0).await.unwrap();
    client.suspend("one", "wait").await.unwrap();
    assert_eq!(status().await, RuntimeStatus::Suspended);
    client.raise_event("one", "go-1", 1).await.unwrap();
    client.resume("one", "go on").await.unwrap();
    assert_eq!(status().await, RuntimeStatus::Running);
    let purged = client.purge("one").await.unwrap_err();
    assert!(matches!(purged, ClientError::NotRunning { .. }), "{purged}");
    for number in 2..4 {
        let name = format!("go-{number}");
        client.raise_event("one", name, number).await.unwrap();
    }
    let ended = client.wait_for_completion("one", PATIENCE).await.unwrap();
    assert_eq!(ended.runtime_status, RuntimeStatus::Completed, "{ended:?}");

    start().await.unwrap();
    client.terminate("one", "enough").await.unwrap();
    assert_eq!(status().await, RuntimeStatus::Terminated);
    let output = client.get_status("one").await.unwrap().unwrap().output;
    assert_eq!(output, Some("enough".into()));
    for refused in [
        client.raise_event("one", "go-0", 0).await,
        client.suspend("one", "").await,
        client.resume("one", "").await,
        client.terminate("one", "").await,
        client.rewind("one", "").await,
    ] {
        assert!(
            matches!(refused, Err(ClientError::NotRunning { .. })),
            "{refused:?}"
        );
    }
    client.purge("one").await.unwrap();
    assert_eq!(client.get_status("one").await.unwrap(), None);
    owner.stop();
}

/// Rules 17 and 25, from another process.
#[tokio::test(flavor = "multi_thread")]
async fn the_owners_refusals_come_back() {
    let (_site, owner, client) = apart();
    let unknown = client.start_new_by_name("chian", 1).await.unwrap_err();
    assert!(
        matches!(unknown, ClientError::UnknownOrchestrator { .. }),
        "{unknown}"
    );
    assert!(unknown.to_string().contains("chain"), "{unknown}");
    let invalid = client
        .start_new_by_name("chain", 1)
        .instance_id("@me")
        .await;
    assert!(
        matches!(invalid, Err(ClientError::InvalidInstanceId(_))),
        "{invalid:?}"
    );
    for refused in [
        client.raise_event("nobody", "go-0", 0).await,
        client.suspend("nobody", "").await,
        client.resume("nobody", "").await,
        client.terminate("nobody", "").await,
        client.rewind("nobody", "").await,
        client.purge("nobody").await,
    ] {
        assert!(
            matches!(refused, Err(ClientError::InstanceNotFound { .. })),
            "{refused:?}"
        );
    }
    owner.stop();
}

fn now() -> DateTime<Utc> {
    Utc::now()
}

/// What another process enqueues is taken up by the owner soon: within 100 ms, when the machine has
/// nothing else to do.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_takes_up_soon_what_others_enqueue() {
    const BOUND: Duration = Duration::from_secs(2);
    let (_site, owner, client) = apart();
    let mut delays = Vec::new();
    for _ in 0..10 {
        let before = now();
        let run = client.start_new_by_name("chain", 1).await.unwrap();
        let created = run.status().await.unwrap().created_time;
        delays.push((created - before).to_std().unwrap_or_default());
    }
    delays.sort_unstable();
    println!("taken up after {delays:?}");
    assert!(delays[delays.len() / 2] < BOUND, "{delays:?}");
    owner.stop();
}

/// Rule 45: a start without any host is kept for the next one. Its id is taken at once.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_host_commands_wait_for_one() {
    /// Long enough for an answer.
    const A_MOMENT: Duration = Duration::from_millis(300);
    let site = Site::new();
    let client = site.connect();
    let start = || client.start_new_by_name("events", 1).instance_id("one");
    start().await.unwrap();
    let again = start().await.unwrap_err();
    assert!(
        matches!(again, ClientError::AlreadyExists { .. }),
        "{again}"
    );
    for number in 0..4 {
        let name = format!("go-{number}");
        client.raise_event("one", name, number).await.unwrap();
    }
    let nobody = client.raise_event("two", "go-0", 0).await.unwrap_err();
    assert!(
        matches!(nobody, ClientError::InstanceNotFound { .. }),
        "{nobody}"
    );
    assert!(site.lines("journal").is_empty());

    // Whoever waits for it is not told that there is none.
    let early = client.wait_for_completion("one", A_MOMENT).await;
    assert!(
        matches!(early, Err(ClientError::Timeout { .. })),
        "{early:?}"
    );
    let owner = site.serve(15, 10);
    let status = client.wait_for_completion("one", PATIENCE).await.unwrap();
    assert_eq!(
        status.runtime_status,
        RuntimeStatus::Completed,
        "{status:?}"
    );
    assert_eq!(site.lines("journal").len(), 4);
    owner.stop();
}
