//! A storage file that a host of another process runs.

use durable_runtime::client::RuntimeStatus;
use serde_json::{Value, json};

use crate::support::{PATIENCE, Run, Site, until};

// Rules 3, 6, 7, 9, 10 and 25, from a shell.
#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_an_instance() {
    let site = Site::new();
    let host = site.host().await;
    let client = host.client();
    let run = site.durable(&["start-new", "--function-name", "wait", "--id", "one"]);
    assert_eq!(run.stderr, "");
    assert_eq!(run.ok(), "started one\n");
    until(&client, "one", RuntimeStatus::Running).await;
    site.durable(&["start-new", "wait", "--id", "one"])
        .fails(4, &["Running"]);

    let suspended = site
        .durable(&["suspend", "one", "--reason", "wait a bit"])
        .ok();
    assert_eq!(suspended, "suspended one\n");
    let status = site.durable(&["get-runtime-status", "one"]).ok();
    assert!(
        status.contains("Suspended") && status.contains("wait a bit"),
        "{status}"
    );
    assert_eq!(site.durable(&["resume", "one"]).ok(), "resumed one\n");
    site.durable_reading(
        &["raise-event", "one", "-e", "go", "-d", "-"],
        "{\"a\": 1}\n",
    )
    .ok();
    let ended = site.durable(&["get-runtime-status", "one", "--wait", "60s", "-o", "json"]);
    assert_eq!(ended.json()["output"], json!({"a": 1}));

    assert_eq!(site.durable(&["restart", "one"]).ok(), "restarted as one\n");
    until(&client, "one", RuntimeStatus::Running).await;
    let other = site
        .durable(&["restart", "one", "--new-id", "-o", "json"])
        .json();
    let other = other["instanceId"].as_str().unwrap();
    assert_ne!(other, "one");
    assert_eq!(
        site.durable(&["terminate", "one", "-r", "enough"]).ok(),
        "terminated one\n"
    );
    until(&client, "one", RuntimeStatus::Terminated).await;
    let purge = ["purge-history", "--id", "one", "--yes", "--output", "json"];
    let purged = site.durable(&purge).json();
    assert_eq!(purged, json!({"instancesDeleted": 1, "hosted": true}));
    site.durable(&["get-runtime-status", "one"])
        .fails(3, &["\"one\""]);
    site.durable(&purge).fails(3, &["\"one\""]);
    host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_waited_for_decides_the_exit_code() {
    let site = Site::new();
    let host = site.host().await;
    let ann = site.durable(&["start-new", "hello", "-i", "\"Ann\"", "--wait", "60s"]);
    assert!(ann.ok().contains("Hello Ann!"));
    let failed = site.durable(&[
        "start-new",
        "hello",
        "-i",
        "\"nobody\"",
        "--id",
        "no",
        "--wait",
    ]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(
        failed.stdout.contains("there is nobody to greet"),
        "{failed:?}"
    );
    assert!(failed.stderr.contains("\"no\" is Failed"), "{failed:?}");
    site.durable(&["start-new", "wait", "--id", "w", "--wait", "10ms"])
        .fails(6, &["\"w\" has not ended", "it goes on"]);
    site.write("input.json", "{\"deep\": [1.50, \"ü\"]}\n");
    let echo = [
        "start-new",
        "echo",
        "--input",
        "@input.json",
        "--wait",
        "60s",
        "-o",
        "json",
    ];
    let echoed = site.durable(&echo).json();
    assert_eq!(echoed["output"], json!({"deep": [1.50, "ü"]}));
    host.shutdown().await.unwrap();
}

// Rule 17: the nearest name is suggested.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_does_not_know_is_not_found() {
    let site = Site::new();
    let host = site.host().await;
    site.durable(&["start-new", "helo"])
        .fails(3, &["helo", "hello"]);
    site.durable(&["signal-entity", "@conter@k", "--op", "add"])
        .fails(3, &["conter"]);
    host.shutdown().await.unwrap();
}

// Rule 8.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_instance_is_rewound() {
    let site = Site::new();
    let host = site.host().await;
    let start = ["start-new", "hello", "-i", "\"nobody\"", "--id", "one"];
    site.durable(&start).ok();
    until(&host.client(), "one", RuntimeStatus::Failed).await;
    let rewound = site
        .durable(&["rewind", "one", "--reason", "somebody came"])
        .ok();
    assert_eq!(rewound, "rewound one\n");
    until(&host.client(), "one", RuntimeStatus::Failed).await;
    let history = site.durable(&["get-history", "one"]).ok();
    assert!(history.contains("rewound"), "{history}");
    assert!(history.contains("somebody came"), "{history}");
    host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_a_host_runs_is_not_deleted() {
    let site = Site::new();
    let host = site.host().await;
    site.durable(&["start-new", "wait", "--id", "one"]).ok();
    let refused = site.durable(&["delete-task-hub", "--yes"]);
    refused.fails(4, &["a host runs", "--force"]);
    site.durable(&["get-runtime-status", "one"]).ok();
    site.durable(&["delete-task-hub", "--yes", "--force"]).ok();
    site.durable(&["get-instances"]).fails(3, &["no task hub"]);
    drop(host);
}

// Rule 10: by filter, with the count.
#[tokio::test(flavor = "multi_thread")]
async fn instances_are_listed_and_purged_by_filter() {
    let site = Site::new();
    let host = site.host().await;
    let client = host.client();
    for number in 0..30 {
        let start = client.start_new_by_name("echo", number);
        let start = start.tag("parity", if number % 2 == 0 { "even" } else { "odd" });
        start
            .instance_id(format!("echo-{number:02}"))
            .await
            .unwrap();
    }
    for number in 0..30 {
        let id = format!("echo-{number:02}");
        client.wait_for_completion(&id, PATIENCE).await.unwrap();
    }
    let start = client.start_new_by_name("wait", ()).instance_id("waits");
    start.await.unwrap();
    until(&client, "waits", RuntimeStatus::Running).await;

    let list = |arguments: &[&str]| {
        let all = [&["get-instances", "--output", "json"][..], arguments].concat();
        site.durable(&all).json()
    };
    let ids = |list: &Value| {
        let instances = list["instances"].as_array().unwrap().iter();
        let ids = instances.map(|instance| instance["instanceId"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&list(&[])).len(), 31);
    assert_eq!(
        ids(&list(&["--runtime-status", "running", "pending"])),
        ["waits"]
    );
    assert_eq!(
        ids(&list(&["--runtime-status", "Running,Failed"])),
        ["waits"]
    );
    assert_eq!(ids(&list(&["--name", "wait"])), ["waits"]);
    assert_eq!(ids(&list(&["--id-prefix", "echo-0"])).len(), 10);
    assert_eq!(ids(&list(&["--tags", "parity=odd"])).len(), 15);
    assert_eq!(ids(&list(&["--created-after", "1h"])).len(), 31);
    assert!(ids(&list(&["--created-before", "1h"])).is_empty());

    let mut seen = Vec::new();
    let mut page = list(&["--top", "12", "--id-prefix", "echo"]);
    while let Some(token) = page["continuationToken"].as_str() {
        seen.extend(ids(&page));
        page = list(&[
            "--top",
            "12",
            "--id-prefix",
            "echo",
            "--continuation-token",
            token,
        ]);
    }
    seen.extend(ids(&page));
    let mut expected: Vec<_> = (0..30).map(|number| format!("echo-{number:02}")).collect();
    expected.sort();
    assert_eq!(seen, expected);
    let table = site.durable(&["get-instances", "--top", "2"]);
    assert!(table.stderr.contains("--continuation-token"), "{table:?}");

    let purge = [
        "purge-history",
        "--yes",
        "--tags",
        "parity=odd",
        "--output",
        "json",
    ];
    assert_eq!(site.durable(&purge).json()["instancesDeleted"], 15);
    assert_eq!(site.durable(&purge).json()["instancesDeleted"], 0);
    let all = site.durable(&["purge-history", "-y"]).ok();
    assert_eq!(all, "deleted 15 instances\n");
    assert_eq!(ids(&list(&[])), ["waits"]);
    host.shutdown().await.unwrap();
}

// Rules 33, 35 and 37, from a shell.
#[tokio::test(flavor = "multi_thread")]
async fn entities_are_signalled_and_shown() {
    let site = Site::new();
    let host = site.host().await;
    let signal = |key: &str, amount: &str| {
        let id = format!("@Counter@{key}");
        let run = site.durable(&["signal-entity", "--id", &id, "--op", "add", "-i", amount]);
        assert_eq!(run.ok(), format!("signalled @counter@{key}\n"));
    };
    signal("a", "1");
    signal("a", "2");
    signal("b", "5");
    let signal = [
        "signal-entity",
        "@counter@b",
        "--op",
        "add",
        "-i",
        "0",
        "-o",
        "json",
    ];
    let signalled = json!({"name": "counter", "key": "b"});
    let expected = json!({"entityId": signalled, "action": "signal", "hosted": true});
    assert_eq!(site.durable(&signal).json(), expected);
    let one = site
        .durable(&["entities", "@counter@a", "-o", "json"])
        .json();
    let id = json!({"name": "counter", "key": "a"});
    assert_eq!(one, json!({"entityId": id, "state": {"value": 3}}));
    let list = site.durable(&[
        "entities",
        "--name",
        "COUNTER",
        "--show-state",
        "-o",
        "json",
    ]);
    let list = list.json();
    assert_eq!(list["entities"].as_array().unwrap().len(), 2);
    assert_eq!(list["entities"][1]["state"], json!({"value": 5}));
    assert_eq!(list["continuationToken"], Value::Null);
    let table = site.durable(&["entities", "--show-state"]).ok();
    assert!(
        table.contains("@counter@b") && table.contains("{\"value\":5}"),
        "{table}"
    );
    assert!(
        site.durable(&["entities", "--name", "none"])
            .ok()
            .is_empty()
    );

    let later = [
        "signal-entity",
        "@counter@a",
        "--op",
        "add",
        "-i",
        "9",
        "--at",
        "1h",
    ];
    site.durable(&later).ok();
    site.durable(&["signal-entity", "@counter@b", "--op", "delete"])
        .ok();
    site.durable(&["entities", "@counter@b"])
        .fails(3, &["@counter@b"]);
    let one = site
        .durable(&["entities", "@counter@a", "-o", "json"])
        .json();
    assert_eq!(one["state"]["value"], 3);
    host.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_every_change_and_ends() {
    let site = Site::new();
    let host = site.host().await;
    let client = host.client();
    let start = client.start_new_by_name("wait", ()).instance_id("one");
    start.await.unwrap();
    until(&client, "one", RuntimeStatus::Running).await;
    let mut command = site.command(&["watch", "--until-ended", "--interval", "20ms", "-o", "json"]);
    let watch = std::thread::spawn({
        command.stdin(std::process::Stdio::null());
        move || Run::of(command, "")
    });
    client.suspend("one", "wait").await.unwrap();
    client.resume("one", "go").await.unwrap();
    client.raise_event("one", "go", 1).await.unwrap();
    let told = watch.join().unwrap().ok();
    let lines: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // How much of it the watch has seen depends on when it looked first.
    if let Some(last) = lines.last() {
        assert_eq!(last["instanceId"], "one");
        assert_eq!(last["runtimeStatus"], "Completed");
    }

    let start = client.start_new_by_name("wait", ()).instance_id("two");
    start.await.unwrap();
    until(&client, "two", RuntimeStatus::Running).await;
    let lines = site
        .durable(&["watch", "--for", "10ms", "--interval", "5ms"])
        .ok();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(
        lines.contains("two") && lines.contains("Running"),
        "{lines}"
    );
    let late = site.durable(&["watch", "--id", "two", "--until-ended", "--for", "10ms"]);
    assert_eq!(late.code, 6, "{late:?}");
    host.shutdown().await.unwrap();
}
