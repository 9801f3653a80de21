//! Rule 32: what takes a process down, or cannot be loaded, does not stop the rest.

use std::os::unix::process::ExitStatusExt;

use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::host::HostOptions;
use durable_runtime::model::Failure;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use crate::fixture::{eventually, host};
use crate::process::{PATIENCE, Site};

/// Rule 32: of what was running whenever the process ended only what ends it again is given up.
#[tokio::test(flavor = "multi_thread")]
async fn the_innocent_are_not_given_up_with_the_guilty() {
    const ATTEMPTS: usize = 3;
    let site = Site::new();
    let client = site.connect();
    let innocent: Vec<_> = (0..8).map(|number| format!("innocent-{number}")).collect();
    for id in &innocent {
        let start = client.start_new_by_name("innocent", 1);
        start.instance_id(id).await.unwrap();
    }
    let fatal = client.start_new_by_name("fatal", 1).instance_id("fatal-1");
    fatal.await.unwrap();
    for _ in 0..ATTEMPTS {
        let mut process = site.spawn("serve", ["15", "3"]);
        let status = tokio::task::block_in_place(|| process.child.wait()).unwrap();
        assert!(!status.success(), "{status}");
    }
    let process = site.serve(15, 3);
    for (id, output) in innocent
        .iter()
        .map(|id| (id.as_str(), "done"))
        .chain([("fatal-1", Failure::POISON)])
    {
        let status = client.wait_for_completion(id, PATIENCE).await.unwrap();
        assert_eq!(status.output_as::<String>().unwrap(), output, "{id}");
    }
    process.stop();
}

/// Rule 32: an activity that aborts the process three times is not run a fourth time.
#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_takes_the_process_down_is_given_up() {
    const ATTEMPTS: usize = 3;
    const ABORTED: i32 = 6;
    let site = Site::new();
    let client = site.connect();
    // It waits while the process dies: what runs at that moment is under suspicion itself.
    let start = client.start_new_by_name("events", 1);
    start.instance_id("bystander").await.unwrap();
    let fatal = client.start_new_by_name("fatal", 1).instance_id("fatal-1");
    fatal.await.unwrap();
    for _ in 0..ATTEMPTS {
        let mut process = site.spawn("serve", ["15", "3"]);
        let status = tokio::task::block_in_place(|| process.child.wait()).unwrap();
        assert_eq!(status.signal(), Some(ABORTED), "{status}");
    }
    let process = site.serve(15, 3);
    let status = client
        .wait_for_completion("fatal-1", PATIENCE)
        .await
        .unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), Failure::POISON);
    let runs = site.lines("journal");
    let runs = runs.iter().filter(|line| line.starts_with("fatal-1/"));
    assert_eq!(runs.count(), ATTEMPTS);

    for number in 0..4 {
        let name = format!("go-{number}");
        client.raise_event("bystander", name, number).await.unwrap();
    }
    let start = client.start_new_by_name("chain", 1).instance_id("later");
    start.await.unwrap();
    for id in ["bystander", "later"] {
        let status = client.wait_for_completion(id, PATIENCE).await.unwrap();
        assert_eq!(
            status.runtime_status,
            RuntimeStatus::Completed,
            "{status:?}"
        );
    }
    process.stop();
}

#[orchestrator]
async fn listens(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.wait_for_external_event("word").await?)
}

/// Returns how its child has failed.
#[orchestrator]
async fn parent(ctx: OrchestrationContext) -> Result<String> {
    let child = ctx
        .call_sub_orchestrator::<listens>(())
        .instance_id("child");
    match child.await {
        Ok(word) => Ok(word),
        Err(failure) => Ok(failure.error_type().to_owned()),
    }
}

async fn listening(site: &Site) -> DurableHost {
    let options = HostOptions {
        // All share the partition of the damaged one.
        partition_count: 1,
        ..HostOptions::default()
    };
    host(Sqlite::open(site.database()).unwrap(), options)
        .register::<listens>()
        .register::<parent>()
        .start()
        .await
        .unwrap()
}

async fn is_running(client: &DurableClient, id: &str) {
    eventually("it runs", async || {
        let status = client.get_status(id).await.unwrap();
        status.filter(|status| status.runtime_status == RuntimeStatus::Running)
    })
    .await;
}

/// Overwrites the history of `id`, from row `from` on.
fn damage(site: &Site, id: &str, from: u32) {
    let connection = rusqlite::Connection::open(site.database()).unwrap();
    let changed = connection.execute(
        "UPDATE episodes SET events = '[[1,{\"Unheard\":' WHERE key & 0xFFFFF >= ?2
         AND key >> 20 = (SELECT key FROM instances WHERE id = ?1)",
        (id, from),
    );
    assert!(changed.unwrap() > 0);
}

/// Rule 32: an orchestration whose history cannot be read is parked as failed, with the reason; the
/// others of its partition go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_orchestration_that_cannot_be_loaded_is_parked() {
    is_parked_after(|site| damage(site, "damaged", 0)).await;
}

/// Rule 32: so is one of which not even the row can be read.
#[tokio::test(flavor = "multi_thread")]
async fn an_orchestration_without_a_readable_row_is_parked() {
    is_parked_after(|site| {
        let connection = rusqlite::Connection::open(site.database()).unwrap();
        let damaged = "UPDATE instances SET status = 'Unheard' WHERE id = 'damaged'";
        assert_eq!(connection.execute(damaged, ()).unwrap(), 1);
    })
    .await;
}

async fn is_parked_after(damage: impl FnOnce(&Site)) {
    let site = Site::new();
    let first = listening(&site).await;
    for id in ["damaged", "sound"] {
        let start = first.client().start_new::<listens>(()).instance_id(id);
        start.await.unwrap();
        is_running(&first.client(), id).await;
    }
    first.shutdown().await.unwrap();
    drop(first);
    damage(&site);

    let second = listening(&site).await;
    let client = second.client();
    let raised = client.raise_event("damaged", "word", "hello").await;
    assert!(
        matches!(raised, Err(ClientError::NotRunning { .. })),
        "{raised:?}"
    );
    let status = client
        .wait_for_completion("damaged", PATIENCE)
        .await
        .unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Failed);
    let failure = status.failure.unwrap();
    assert_eq!(failure.error_type(), Failure::CORRUPT);
    assert!(failure.message().contains("cannot be read"), "{failure}");

    client.raise_event("sound", "word", "hello").await.unwrap();
    let status = client.wait_for_completion("sound", PATIENCE).await.unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), "hello");
    client.purge("damaged").await.unwrap();
    assert_eq!(client.get_status("damaged").await.unwrap(), None);
    second.shutdown().await.unwrap();
}

/// Rule 32: the parent of a parked orchestration is told, and does not wait for ever.
#[tokio::test(flavor = "multi_thread")]
async fn the_parent_of_a_parked_orchestration_is_told() {
    let site = Site::new();
    let first = listening(&site).await;
    let start = first.client().start_new::<parent>(()).instance_id("parent");
    start.await.unwrap();
    is_running(&first.client(), "child").await;
    first
        .client()
        .suspend("child", "a second row of history")
        .await
        .unwrap();
    first.shutdown().await.unwrap();
    drop(first);
    damage(&site, "child", 1);

    let second = listening(&site).await;
    let client = second.client();
    let resumed = client.resume("child", "to have it loaded").await;
    assert!(
        matches!(resumed, Err(ClientError::NotRunning { .. })),
        "{resumed:?}"
    );
    let status = client
        .wait_for_completion("parent", PATIENCE)
        .await
        .unwrap();
    assert_eq!(status.output_as::<String>().unwrap(), Failure::CORRUPT);
    second.shutdown().await.unwrap();
}
