//! A storage file that no host runs: it can be read, and what is asked for is noted.

use std::time::{Duration, Instant};

use durable_runtime::client::RuntimeStatus;
use serde_json::json;

use crate::support::{PATIENCE, Site, until};

// Rule 45: what was accepted is done by whoever comes to do it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_is_done_by_the_next_host() {
    let site = Site::new();
    let began = Instant::now();
    let run = site.durable(&[
        "start-new",
        "wait",
        "--id",
        "one",
        "--tags",
        "region=eu",
        "size=s",
    ]);
    assert!(run.stderr.contains("no host runs task hub"), "{run:?}");
    assert!(run.stderr.contains("as soon as one runs"), "{run:?}");
    assert_eq!(run.ok(), "noted: start one\n");
    let raise = [
        "raise-event",
        "--id",
        "one",
        "--event-name",
        "GO",
        "--event-data",
        "[1, 2]",
    ];
    let raised = site.durable(&[&raise[..], &["-o", "json"]].concat()).json();
    let expected = json!({"instanceId": "one", "action": "raise-event", "hosted": false});
    assert_eq!(raised, expected);
    let signal = [
        "signal-entity",
        "@counter@visits",
        "--operation",
        "add",
        "--input",
        "-3",
    ];
    assert_eq!(
        site.durable(&signal).ok(),
        "noted: signal @counter@visits\n"
    );
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "nobody is waited for"
    );

    let host = site.host().await;
    let ended = host.client().wait_for_completion("one", PATIENCE).await;
    let ended = ended.unwrap();
    assert_eq!(ended.output, Some(json!([1, 2])));
    assert_eq!(ended.tags["region"], "eu");
    assert_eq!(ended.tags["size"], "s");
    let run = site.durable(&["entities", "@counter@visits", "-o", "json"]);
    assert_eq!(run.json()["state"], json!({"value": -3}));
    host.shutdown().await.unwrap();
}

// Rules 3, 6, 8, 10 and 25: what storage says cannot be done is refused although no host is there.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_promised_in_vain() {
    let site = Site::new();
    let host = site.host().await;
    let client = host.client();
    for (name, id) in [("echo", "ended"), ("wait", "running")] {
        let start = client.start_new_by_name(name, 1).instance_id(id);
        start.await.unwrap();
    }
    client.wait_for_completion("ended", PATIENCE).await.unwrap();
    until(&client, "running", RuntimeStatus::Running).await;
    host.shutdown().await.unwrap();

    for command in ["terminate", "suspend", "resume", "rewind"] {
        let run = site.durable(&[command, "--id", "ended", "--reason", "why"]);
        run.fails(4, &["\"ended\"", "Completed"]);
        site.durable(&[command, "nobody"]).fails(3, &["\"nobody\""]);
    }
    site.durable(&["raise-event", "ended", "-e", "go"])
        .fails(4, &["Completed"]);
    site.durable(&["rewind", "running"])
        .fails(4, &["has failed"]);
    site.durable(&["purge-history", "--id", "running", "-y"])
        .fails(4, &["Running", "has ended"]);
    site.durable(&["restart", "running"])
        .fails(4, &["Running", "--new-id"]);
    site.durable(&["start-new", "wait", "--id", "running"])
        .fails(4, &["already exists", "--on-existing"]);
    site.durable(&["get-runtime-status", "nobody"])
        .fails(3, &["\"nobody\"", "no host runs"]);
    site.durable(&["get-history", "nobody"])
        .fails(3, &["\"nobody\""]);
    site.durable(&["entities", "@counter@none"])
        .fails(3, &["@counter@none"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_needs_a_host_is_told_that_there_is_none() {
    let site = Site::new();
    let needs = "--require-host";
    for arguments in [
        &["start-new", "hello", needs][..],
        &["raise-event", "one", "-e", "go", needs],
        &["terminate", "one", needs],
        &["purge-history", "-y", needs],
        &["signal-entity", "@c@k", "--op", "add", needs],
    ] {
        site.durable(arguments)
            .fails(5, &["no host runs", "nothing was done"]);
    }
    site.durable(&["start-new", "wait", "--id", "one", "--wait", "30s"])
        .fails(5, &["no host runs", "\"one\" is noted"]);
    assert!(site.durable(&["get-instances"]).ok().is_empty());
    // The start that is noted is one that exists.
    site.durable(&["start-new", "wait", "--id", "one"])
        .fails(4, &["Pending"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_nobody_runs_can_be_read() {
    let site = Site::new();
    let host = site.host().await;
    let run = host.client().start_new_by_name("hello", "Ann");
    run.instance_id("one").await.unwrap();
    let client = host.client();
    client.wait_for_completion("one", PATIENCE).await.unwrap();
    host.shutdown().await.unwrap();

    let status = site.durable(&["get-runtime-status", "one"]).ok();
    for text in ["one", "hello", "Completed", "\"Ann\"", "\"Hello Ann!\""] {
        assert!(status.contains(text), "{status}");
    }
    let status = site.durable(&["get-runtime-status", "one", "-o", "json"]);
    let status = status.json();
    assert_eq!(status["instanceId"], "one");
    assert_eq!(status["runtimeStatus"], "Completed");
    assert_eq!(status["output"], "Hello Ann!");
    let without = [
        "get-runtime-status",
        "one",
        "-o",
        "json",
        "--show-input",
        "false",
    ];
    let without = site.durable(&[&without[..], &["--show-output=false"]].concat());
    let without = without.json();
    assert_eq!(
        (&without["input"], &without["output"]),
        (&json!(null), &json!(null))
    );
    site.durable(&["get-runtime-status", "one", "--wait"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_nobody_runs_can_be_deleted() {
    let site = Site::new();
    site.durable(&["start-new", "hello", "--id", "one"]).ok();
    let deleted = site.durable(&["delete-task-hub", "--yes"]).ok();
    assert!(
        deleted.contains("deleted task hub \"DurableHub\""),
        "{deleted}"
    );
    site.durable(&["get-instances"])
        .fails(3, &["no task hub \"DurableHub\"", "has none"]);
    site.client();
    let deleted = site
        .durable(&["delete-task-hub", "-y", "-o", "json"])
        .json();
    assert_eq!(deleted, json!({"taskHub": "DurableHub", "deleted": true}));
    site.durable(&["delete-task-hub", "--yes"])
        .fails(3, &["no task hub"]);
}
