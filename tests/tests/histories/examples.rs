//! Histories that the examples have recorded, replayed on their code as it is now.

#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/bank_transfer.rs"]
mod bank_transfer;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/counter.rs"]
mod counter;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/device_provisioning.rs"]
mod device_provisioning;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/embed_in_axum.rs"]
mod embed_in_axum;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/hello_cities.rs"]
mod hello_cities;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/http_approval.rs"]
mod http_approval;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/http_poll.rs"]
mod http_poll;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/http_start.rs"]
mod http_start;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/monitor.rs"]
mod monitor;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/order_queue.rs"]
mod order_queue;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/periodic_cleanup.rs"]
mod periodic_cleanup;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/phone_verification.rs"]
mod phone_verification;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/retry.rs"]
mod retry;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/scheduled_batch.rs"]
mod scheduled_batch;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/site_backup.rs"]
mod site_backup;
#[expect(dead_code, reason = "only its orchestrators are of interest")]
#[path = "../../../examples/src/bin/transfer_funds.rs"]
mod transfer_funds;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use durable_runtime::testing::{Ending, Replay, ReplayError, replay_recorded};
use serde_json::{Value, json};

use crate::support::divergence;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("histories")
}

fn recorded(name: &str) -> String {
    read(&folder().join(format!("{name}.json")))
}

fn read(path: &Path) -> String {
    let recorded = fs::read_to_string(path).unwrap();
    // Errors are recorded with the path of their type, which has moved with the example into this program.
    let here = concat!("\"", module_path!(), "::retry::");
    recorded.replace("\"retry::", here)
}

/// The replays of all files, by their names without `.json`.
fn replays() -> BTreeMap<String, Replay> {
    let mut replays = BTreeMap::new();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let replayed = replay_recorded(&read(&path));
        let replayed = replayed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_stem().unwrap().to_str().unwrap();
        replays.insert(name.to_owned(), replayed);
    }
    replays
}

// Rule 23: code that carries on where it was does so because it repeats what it did.
#[test]
fn every_example_repeats_its_histories() {
    let replays = replays();
    let orchestrators: BTreeSet<_> = replays
        .values()
        .map(|replay| &*replay.orchestrator)
        .collect();
    let examples = [
        "bill_customers",
        "celebrate",
        "count_on",
        "fulfil",
        "hello_cities",
        "holiday",
        "make_report",
        "monitor",
        "periodic_cleanup",
        "phone_verification",
        "provision_device",
        "provision_devices",
        "resize_photos",
        "retry",
        "ship",
        "site_backup",
        "transfer",
        "transfer_all",
        "transfer_funds",
    ];
    assert_eq!(orchestrators, BTreeSet::from(examples));
    let hello = &replays["hello_cities.hello_cities.completed"];
    let greetings = json!(["Hello Tokyo!", "Hello Seattle!", "Hello London!"]);
    assert_eq!(hello.ending, Ending::Returned(greetings));
    assert_eq!(hello.steps, 4);
    let running = replays
        .iter()
        .filter(|(name, _)| name.ends_with(".running"));
    for (name, replay) in running {
        assert_eq!(replay.ending, Ending::Waiting, "{name}");
    }
}

// What another city would do to the orchestrations that are under way.
#[test]
fn an_example_that_changes_is_found() {
    let recorded = recorded("hello_cities.hello_cities.completed");
    let called = "{\"id\":1,\"name\":\"say_hello\"";
    assert!(recorded.contains(called), "{recorded}");
    let changed = recorded.replace(called, "{\"id\":1,\"name\":\"say_goodbye\"");
    let found = divergence(replay_recorded(&changed));
    assert_eq!((found.step, found.steps), (2, 4));
    assert_eq!(found.history, "call #1 of activity \"say_goodbye\"");
    assert_eq!(found.code, "made call #1 of activity \"say_hello\"");
}

/// What the code does, in the names of the events.
const CALLS: [&str; 8] = [
    "TaskScheduled",
    "SubOrchestrationCreated",
    "EntityCalled",
    "EntitySignaled",
    "LockRequested",
    "LockReleased",
    "TimerCreated",
    "EventSent",
];

// Whatever is missing in a history: a call is noticed, and nothing panics.
#[test]
fn each_call_that_is_missing_is_noticed() {
    let mut calls = 0;
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let recorded: Value = serde_json::from_str(&read(&path)).unwrap();
        let events = recorded["history"].as_array().unwrap();
        for (at, event) in events.iter().enumerate().skip(1) {
            let mut shortened = recorded.clone();
            shortened["history"].as_array_mut().unwrap().remove(at);
            let result = replay_recorded(&shortened.to_string());
            let kind = event[1].as_object().and_then(|kind| kind.keys().next());
            if kind.is_some_and(|kind| CALLS.contains(&kind.as_str())) {
                calls += 1;
                let found = divergence(result);
                assert_ne!(found.history, found.code, "{}: {found}", path.display());
            } else {
                let is_told = matches!(result, Ok(_) | Err(ReplayError::Diverges(_)));
                assert!(is_told, "{}: {result:?}", path.display());
            }
        }
    }
    assert!(calls > 100, "{calls}");
}
