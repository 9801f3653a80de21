//! Rules 23, 33, 35 and 45: `kill -9` at any instant loses no acknowledged work.
//!
//! A program is killed at random instants, over and over, while it runs orchestrations of every sort,
//! and another process starts some as well. In the end each must have returned what it returns when
//! nobody disturbs it.
//!
//! `CRASH_ROUNDS` sets how often it is killed, `CRASH_SEED` repeats the instants of an earlier run.

mod evidence;
mod pair;
#[path = "../process/mod.rs"]
mod process;
mod random;
#[path = "../process/signal.rs"]
mod signal;

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use durable_runtime::client::{ClientError, OnExisting};
use durable_runtime::prelude::*;
use evidence::Evidence;
use process::{PATIENCE, Process, Site};
use random::Random;
use serde_json::Value;

/// How often the program is killed, unless `CRASH_ROUNDS` says otherwise.
const ROUNDS: u32 = 60;

/// In seconds. It does not matter: a process that was killed is followed at once.
const LEASE: u32 = 15;

/// More batches than are ever done.
const FOR_EVER: u32 = 1_000_000;

/// A process that starts instances under its name: so many batches, after it has finished what it was
/// killed in the middle of.
fn mix(site: &Site, name: &str, lease_seconds: u32, batches: u32) -> Process {
    let numbers = [lease_seconds, batches].map(|number| number.to_string());
    site.spawn("mix", [name, &numbers[0], &numbers[1]])
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_it_loses_nothing() {
    let expected = undisturbed().await;
    let rounds = variable("CRASH_ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).unwrap());
    let mut random = Random::new(variable("CRASH_SEED"));
    println!("CRASH_SEED={} CRASH_ROUNDS={rounds}", random.seed());

    let site = Site::new();
    let stop = AtomicBool::new(false);
    let killing = async {
        let mut killed = 0;
        while killed < rounds {
            let mut process = mix(&site, "a", LEASE, FOR_EVER);
            let delay = Duration::from_millis(random.between(5, 300));
            let ended = tokio::task::block_in_place(|| kill_after(&mut process, delay));
            assert_eq!(ended, None, "it ended by itself in round {killed}");
            killed += 1;
        }
        // The last one finishes what was begun, including what the other process starts last.
        stop.store(true, Ordering::Relaxed);
        let process = mix(&site, "a", LEASE, 0);
        let status = tokio::task::block_in_place(|| process.wait());
        assert!(status.success(), "{status}");
    };
    let (started_outside, ()) = tokio::join!(start_from_outside(&site, &stop), killing);

    let last = site.serve(15, u32::MAX);
    let client = site.connect();
    for id in &started_outside {
        client.wait_for_completion(id, PATIENCE).await.unwrap();
    }
    let evidence = Evidence::gather(&site, &client).await;
    evidence.check(&expected, &started_outside);
    check_entities(&client, &evidence).await;
    last.stop();
    println!("{rounds} kills survived: {}", evidence.summary());
}

/// Rules 33 and 35: each operation has had its effect exactly once, also of those that were sent one way
/// and may be on their way yet.
async fn check_entities(client: &DurableClient, evidence: &Evidence) {
    for entity in ["total", "mirror"] {
        counted(client, entity, evidence.signals()).await;
    }
    let (mut balance, mut postings) = (0, 0);
    for number in 0..4 {
        let account = EntityId::new("Account", number.to_string());
        let state: Option<Value> = client.read_entity_state(account).await.unwrap();
        let state = state.unwrap();
        balance += state["balance"].as_i64().unwrap();
        postings += state["postings"].as_u64().unwrap();
    }
    assert_eq!((balance, postings), (0, evidence.postings()));
}

/// Waits until the entity has counted so far, and fails if it counts further.
async fn counted(client: &DurableClient, key: &str, wanted: u64) {
    let began = Instant::now();
    loop {
        let id = EntityId::new("Tally", key);
        let state: Option<Value> = client.read_entity_state(id).await.unwrap();
        let count = state
            .and_then(|state| state["count"].as_u64())
            .unwrap_or_default();
        if count == wanted {
            return;
        }
        let waits = count < wanted && began.elapsed() < PATIENCE;
        assert!(waits, "{key} has counted {count} of {wanted}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Kills `process` when `delay` has passed; if it ended before, tells how.
fn kill_after(process: &mut Process, delay: Duration) -> Option<ExitStatus> {
    match process.lines.recv_timeout(delay) {
        Ok(line) => panic!("unexpected: {line}"),
        Err(RecvTimeoutError::Timeout) => {
            process.child.kill().unwrap();
            process.child.wait().unwrap();
            None
        }
        Err(RecvTimeoutError::Disconnected) => Some(process.child.wait().unwrap()),
    }
}

/// What each kind of instance returns.
async fn undisturbed() -> BTreeMap<String, u64> {
    let site = Site::new();
    let status = mix(&site, "a", LEASE, 1).wait();
    assert!(status.success(), "{status}");
    let evidence = Evidence::gather(&site, &site.connect()).await;
    evidence.values()
}

/// Starts instances from another process until it is told to stop, and gives the ids of those that
/// were acknowledged.
async fn start_from_outside(site: &Site, stop: &AtomicBool) -> Vec<String> {
    let client = site.connect();
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let id = format!("chain-outside-{}", acknowledged.len());
        let start = client.start_new_by_name("chain", 11);
        match start.instance_id(&id).on_existing(OnExisting::Ignore).await {
            Ok(_) => acknowledged.push(id),
            // Nobody owned it for too long: it is tried again.
            Err(ClientError::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    acknowledged
}
