//! A host that is spoken to over HTTP.

use durable_runtime::client::RuntimeStatus;
use durable_runtime::http::HttpOptions;
use durable_runtime::prelude::*;
use serde_json::{Value, json};

use crate::support::{HUB, PATIENCE, Run, Site, until};

/// A host that serves HTTP, and a directory without its storage.
struct Remote {
    host: DurableHost,
    site: Site,
    url: String,
    _storage: Site,
}

impl Remote {
    async fn new() -> Self {
        Self::with(HttpOptions::default()).await
    }

    async fn with(options: HttpOptions) -> Self {
        let storage = Site::new();
        let builder = DurableHost::builder().task_hub(HUB);
        let builder = builder.storage(storage.storage()).http("127.0.0.1:0");
        let host = builder.http_options(options).start().await.unwrap();
        Self {
            url: format!("http://{}", host.http_address().unwrap()),
            host,
            site: Site::empty(),
            _storage: storage,
        }
    }

    fn durable(&self, arguments: &[&str]) -> Run {
        self.site
            .durable(&[arguments, &["--url", &self.url]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.durable(&[arguments, &["--output", "json"]].concat())
            .json()
    }
}

// Rule 42: the same commands, the same results.
#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_an_instance() {
    let remote = Remote::new().await;
    let client = remote.host.client();
    let id = "a b%c+d;ü";
    let started = remote.durable(&["start-new", "wait", "--id", id]).ok();
    assert_eq!(started, format!("started {id}\n"));
    until(&client, id, RuntimeStatus::Running).await;
    remote
        .durable(&["start-new", "wait", "--id", id])
        .fails(4, &[id]);
    remote.durable(&["suspend", id, "--reason", "a&b"]).ok();
    let status = remote.json(&["get-runtime-status", id]);
    assert_eq!(status["runtimeStatus"], "Suspended");
    assert_eq!(status["output"], "a&b");
    assert_eq!(status["customStatus"], "waiting");
    remote.durable(&["resume", id]).ok();
    let raise = [
        "raise-event",
        id,
        "--event-name",
        "go",
        "--event-data",
        "{\"a\": [1]}",
    ];
    let raised = remote.json(&raise);
    assert_eq!(
        raised,
        json!({"instanceId": id, "action": "raise-event", "hosted": true})
    );
    let ended = remote.json(&["get-runtime-status", id, "--wait"]);
    assert_eq!(ended["output"], json!({"a": [1]}));
    remote
        .durable(&["raise-event", id, "-e", "go"])
        .fails(4, &["Completed"]);
    remote.durable(&["rewind", id]).fails(4, &["Completed"]);

    assert_eq!(
        remote.durable(&["restart", id]).ok(),
        format!("restarted as {id}\n")
    );
    until(&client, id, RuntimeStatus::Running).await;
    let restarted = remote.json(&["restart", id, "--new-id"]);
    assert_ne!(restarted["instanceId"], id);
    remote
        .durable(&["purge-history", "--id", id, "-y"])
        .fails(4, &["Running"]);
    remote
        .durable(&["terminate", id, "--reason", "enough"])
        .ok();
    until(&client, id, RuntimeStatus::Terminated).await;
    remote.durable(&["purge-history", "--id", id, "-y"]).ok();
    for command in ["get-runtime-status", "get-history", "terminate", "restart"] {
        remote.durable(&[command, id]).fails(3, &[]);
    }
    remote
        .durable(&["start-new", "helo"])
        .fails(3, &["helo", "hello"]);
    remote.host.shutdown().await.unwrap();
}

// Rules 11 and 42.
#[tokio::test(flavor = "multi_thread")]
async fn lists_have_pages() {
    let remote = Remote::new().await;
    let client = remote.host.client();
    for number in 0..30 {
        let start = client.start_new_by_name("echo", number);
        start.instance_id(format!("echo-{number}")).await.unwrap();
    }
    for number in 0..30 {
        let id = format!("echo-{number}");
        client.wait_for_completion(&id, PATIENCE).await.unwrap();
    }
    let start = client.start_new_by_name("wait", ()).instance_id("waits");
    start.await.unwrap();
    let list = remote.json(&["get-instances", "--runtime-status", "completed", "failed"]);
    assert_eq!(list["instances"].as_array().unwrap().len(), 30);
    let page = remote.json(&["get-instances", "--top", "20", "--id-prefix", "echo-"]);
    assert_eq!(page["instances"].as_array().unwrap().len(), 20);
    let token = page["continuationToken"].as_str().unwrap();
    let rest = [
        "get-instances",
        "--id-prefix",
        "echo-",
        "--continuation-token",
        token,
    ];
    let rest = remote.json(&rest);
    assert_eq!(rest["instances"].as_array().unwrap().len(), 10);
    // The name is not looked at by the host.
    let named = remote.json(&["get-instances", "--function-name", "wait", "--top", "1"]);
    assert_eq!(named["instances"][0]["instanceId"], "waits");
    let purged = remote.json(&["purge-history", "--yes", "--created-after", "1h"]);
    assert_eq!(purged, json!({"instancesDeleted": 30, "hosted": true}));
    let lines = remote.durable(&["watch", "--for", "1ms"]).ok();
    assert!(lines.contains("waits"), "{lines}");
    remote.host.shutdown().await.unwrap();
}

// Rule 43: what the host tells makes the same lines.
#[tokio::test(flavor = "multi_thread")]
async fn histories_are_told() {
    let remote = Remote::new().await;
    let client = remote.host.client();
    let start = client
        .start_new_by_name("everything", ())
        .instance_id("all");
    start.await.unwrap();
    client.wait_for_completion("all", PATIENCE).await.unwrap();
    let timeline = remote.durable(&["get-history", "all", "--recursive"]).ok();
    for text in [
        "all  everything  Completed",
        "sub-orchestration hello",
        "    the-child  hello  Completed",
        "call @counter@visits add",
        "signal @counter@visits add",
        "fired",
        "there is nobody to greet",
        "→ \"Hello child! true\"",
    ] {
        assert!(timeline.contains(text), "{text:?} is not in\n{timeline}");
    }
    let record = remote.json(&["get-history", "all"]);
    assert_eq!(record["historyEvents"][0]["EventType"], "ExecutionStarted");
    // It could be taken for what can be replayed.
    assert_eq!(record["history"], Value::Null);
    remote.host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_are_signalled_and_shown() {
    let remote = Remote::new().await;
    for key in ["a/b", ""] {
        let id = format!("@counter@{key}");
        let signal = ["signal-entity", &id, "--op", "add", "--input", "2"];
        remote.durable(&signal).ok();
        let shown = remote.json(&["entities", &id]);
        assert_eq!(shown["state"], json!({"value": 2}));
        assert_eq!(shown["entityId"], json!({"name": "counter", "key": key}));
    }
    let list = remote.json(&["entities", "--name", "counter", "--show-state"]);
    assert_eq!(list["entities"].as_array().unwrap().len(), 2);
    assert_eq!(list["entities"][1]["state"], json!({"value": 2}));
    remote
        .durable(&["entities", "@counter@none"])
        .fails(3, &["@counter@none"]);
    remote
        .durable(&["signal-entity", "@conter@a", "--op", "add"])
        .fails(3, &["conter"]);
    remote.host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_given_and_never_shown() {
    let remote = Remote::with(HttpOptions {
        system_key: Some("-sesame-sesame-sesame".to_owned()),
        ..HttpOptions::default()
    })
    .await;
    remote
        .durable(&["get-instances"])
        .fails(1, &["--code", "DURABLE_CODE"]);
    let wrong = remote.durable(&["get-instances", "--code", "treasure"]);
    assert!(!wrong.stderr.contains("treasure"), "{wrong:?}");
    wrong.fails(1, &["--code"]);
    remote
        .durable(&["get-instances", "--code", "-sesame-sesame-sesame"])
        .ok();
    let mut command = remote.site.command(&["get-instances"]);
    command
        .env("DURABLE_URL", &remote.url)
        .env("DURABLE_CODE", "-sesame-sesame-sesame");
    Run::of(command, "").ok();
    // As it stands in the URLs that a host gives out.
    let url = format!(
        "{}/runtime/webhooks/durabletask?code=-sesame-sesame-sesame",
        remote.url
    );
    remote.site.durable(&["get-instances", "--url", &url]).ok();
    let url = format!("{}/", remote.url);
    remote
        .site
        .durable(&[
            "get-instances",
            "--code",
            "-sesame-sesame-sesame",
            "-u",
            &url,
        ])
        .ok();
    remote.host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_http_cannot_do_is_told() {
    let remote = Remote::new().await;
    for (arguments, option) in [
        (&["start-new", "hello", "--tags", "a=b"][..], "--tags"),
        (&["start-new", "hello", "--start-at", "1h"], "--start-at"),
        (
            &["start-new", "hello", "--on-existing", "ignore"],
            "--on-existing",
        ),
        (&["get-instances", "--tags", "a=b"], "--tags"),
        (&["terminate", "one", "--recursive"], "--recursive"),
        (
            &["signal-entity", "@counter@a", "--op", "add", "--at", "1h"],
            "--at",
        ),
        (&["get-runtime-status", ".."], "\"..\""),
        (&["delete-task-hub", "--yes"], "task hub"),
    ] {
        remote.durable(arguments).fails(2, &[option, "--storage"]);
    }
    remote
        .durable(&["get-instances", "--task-hub-name", "Other"])
        .fails(3, &["\"Other\"", HUB]);
    remote
        .durable(&["get-runtime-status", "one", "--task-hub-name", "Other"])
        .fails(3, &["one"]);
    assert!(
        remote
            .durable(&["get-instances", "-t", "durablehub"])
            .ok()
            .is_empty()
    );
    remote.host.shutdown().await.unwrap();
}
