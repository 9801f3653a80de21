//! Ownership of partitions: one process at a time, the next one at once when it is gone.

use std::collections::BTreeSet;
use std::time::Duration;

use durable_runtime::client::{OrchestrationStatus, RuntimeStatus};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use rusqlite::Connection;

use crate::fixture::eventually;
use crate::process::{PATIENCE, Process, Site};

/// A lease that no test outlives.
const LONG: u32 = 3600;

/// The ids of the processes that hold leases; 0 for a partition that nobody has.
fn owners(site: &Site) -> BTreeSet<u32> {
    try_owners(site).unwrap()
}

/// As [`owners`]. Fails while the file is locked, for long if by a process that sleeps.
fn try_owners(site: &Site) -> rusqlite::Result<BTreeSet<u32>> {
    let connection = Connection::open(site.database())?;
    let mut statement = connection.prepare("SELECT owner FROM leases")?;
    let owners = statement.query_map([], |row| row.get::<_, Option<String>>(0))?;
    owners
        .map(|owner| {
            let owner = owner?.unwrap_or_default();
            let process = owner.split('-').next().unwrap_or_default();
            Ok(process.parse().unwrap_or(0))
        })
        .collect()
}

fn only(process: &Process) -> BTreeSet<u32> {
    BTreeSet::from([process.child.id()])
}

async fn runs(site: &Site, instance: &str, number: usize) {
    let begins = format!("{instance}/");
    eventually("the activity runs", async || {
        let lines = site.lines("journal");
        let runs = lines.iter().filter(|line| line.starts_with(&begins));
        (runs.count() >= number).then_some(())
    })
    .await;
}

async fn ended(client: &DurableClient, id: &str) -> OrchestrationStatus {
    client.wait_for_completion(id, PATIENCE).await.unwrap();
    let status = client.get_status(id).with_history_output().await.unwrap();
    let status = status.unwrap();
    assert_eq!(
        status.runtime_status,
        RuntimeStatus::Completed,
        "{status:?}"
    );
    status
}

/// Each call has one result, and the output is made of those.
fn assert_results_taken_once(status: &OrchestrationStatus) {
    let history = status.history.as_deref().unwrap();
    let mut scheduled = BTreeSet::new();
    let mut results = Vec::new();
    for event in history {
        match &event.kind {
            EventKind::TaskScheduled { id, .. } => assert!(scheduled.insert(*id), "{history:?}"),
            EventKind::TaskCompleted { id, result } => {
                assert!(scheduled.remove(id), "{history:?}");
                results.push(result.to_value());
            }
            _ => {}
        }
    }
    assert!(scheduled.is_empty(), "{history:?}");
    assert_eq!(
        status.output.as_ref().unwrap()["receipts"],
        serde_json::Value::from(results)
    );
}

async fn start(client: &DurableClient, name: &str, id: &str) {
    let start = client.start_new_by_name(name, 1).instance_id(id);
    start.await.unwrap();
}

/// A second process takes nothing while the first lives, and everything at once when it was killed,
/// however long the leases are.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_is_followed_at_once() {
    const BOUND: Duration = Duration::from_secs(20);
    let site = Site::new();
    let first = site.serve(LONG, 10);
    let second = site.serve(LONG, 10);
    let client = site.connect();
    start(&client, "behind_the_gate", "one").await;
    start(&client, "events", "two").await;
    runs(&site, "one", 1).await;
    client.raise_event("two", "go-0", 0).await.unwrap();
    runs(&site, "two", 1).await;
    assert_eq!(owners(&site), only(&first));

    let killed = tokio::time::Instant::now();
    drop(first);
    eventually("the second process has it all", async || {
        (owners(&site) == only(&second)).then_some(())
    })
    .await;
    runs(&site, "one", 2).await;
    let took = killed.elapsed();
    println!("taken over and run again {took:?} after the kill");
    assert!(took < BOUND, "{took:?}");
    for number in 1..4 {
        let name = format!("go-{number}");
        client.raise_event("two", name, number).await.unwrap();
    }
    std::fs::write(site.file("journal.gate"), "").unwrap();
    for id in ["one", "two"] {
        assert_results_taken_once(&ended(&client, id).await);
    }
    second.stop();
}

/// An owner that gives its leases back is followed as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_stops_is_followed() {
    let site = Site::new();
    let first = site.serve(LONG, 10);
    let second = site.serve(LONG, 10);
    let client = site.connect();
    start(&client, "events", "one").await;
    assert_eq!(owners(&site), only(&first));
    first.stop();
    eventually("the second process has it all", async || {
        (owners(&site) == only(&second)).then_some(())
    })
    .await;
    for number in 0..4 {
        let name = format!("go-{number}");
        client.raise_event("one", name, number).await.unwrap();
    }
    assert_results_taken_once(&ended(&client, "one").await);
    second.stop();
}

/// An owner that was stopped for longer than its leases finds itself replaced: what it still commits
/// is refused, and no result is taken twice. It is of use again when its follower goes.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_was_asleep_is_fenced() {
    const SHORT: u32 = 1;
    let site = Site::new();
    let sleeper = site.serve(SHORT, 10);
    let client = site.connect();
    start(&client, "behind_the_gate", "one").await;
    start(&client, "events", "two").await;
    runs(&site, "one", 1).await;

    sleeper.signal("STOP");
    let follower = site.serve(SHORT, 10);
    eventually("the leases run out", async || {
        (owners(&site) == only(&follower)).then_some(())
    })
    .await;
    runs(&site, "one", 2).await;
    for number in 0..2 {
        let name = format!("go-{number}");
        client.raise_event("two", name, number).await.unwrap();
    }
    // Both runs end now, in both processes.
    std::fs::write(site.file("journal.gate"), "").unwrap();
    sleeper.signal("CONT");
    assert_results_taken_once(&ended(&client, "one").await);
    client.raise_event("two", "go-2", 2).await.unwrap();
    assert_eq!(owners(&site), only(&follower));

    follower.stop();
    eventually("the first process has it all again", async || {
        (owners(&site) == only(&sleeper)).then_some(())
    })
    .await;
    client.raise_event("two", "go-3", 3).await.unwrap();
    assert_results_taken_once(&ended(&client, "two").await);
    assert_results_taken_once(&ended(&client, "one").await);
    sleeper.stop();
}

/// Stops a process until the other one has its leases. One that is stopped in the middle of a commit
/// holds the file, so that nobody can take anything: it gets another chance.
async fn put_to_sleep(site: &Site, awake: &Process, other: &Process) {
    const NAP: Duration = Duration::from_secs(4);
    for _ in 0..20 {
        awake.signal("STOP");
        let taken_over = tokio::time::timeout(NAP, async {
            while try_owners(site).ok() != Some(only(other)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let taken_over = taken_over.await;
        awake.signal("CONT");
        if taken_over.is_ok() {
            return;
        }
    }
    panic!("nobody takes over");
}

/// An orchestration and an entity, which go on from each other's messages before those are stored, agree
/// to the end, although their owner is put to sleep for longer than its leases again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_survives_owners_that_sleep() {
    const SHORT: u32 = 1;
    const ROUNDS: u32 = 3;
    const TURNS: u64 = 150;
    let site = Site::new();
    let client = site.connect();
    let mut awake = site.serve(SHORT, 10);
    let mut waiting = site.serve(SHORT, 10);
    for round in 0..ROUNDS {
        let ids: Vec<_> = (0..8).map(|number| format!("{round}-{number}")).collect();
        for id in &ids {
            let start = client.start_new_by_name("conversation", TURNS);
            start.instance_id(id).await.unwrap();
        }
        put_to_sleep(&site, &awake, &waiting).await;
        for id in &ids {
            let status = ended(&client, id).await;
            assert_eq!(status.output, Some(serde_json::Value::Null), "{id}");
            let tally = EntityId::new("Tally", id);
            let state: serde_json::Value = client.read_entity_state(tally).await.unwrap().unwrap();
            assert_eq!(state["count"], TURNS, "{id}");
        }
        std::mem::swap(&mut awake, &mut waiting);
    }
    awake.stop();
    waiting.stop();
}
