//! `durable replay`: this program is the worker, too.

use std::env;
use std::path::Path;
use std::process::Command;

use durable_runtime::client::RuntimeStatus;
use durable_runtime::prelude::*;
use serde_json::Value;

use crate::functions::{greet, wait};
use crate::support::{HUB, Run, Site, until};

/// How the program behaves: as it did when histories were recorded, unless it is told otherwise.
const MODE: &str = "TEST_REPLAY_MODE";

/// What an orchestrator may not do.
fn never_wait() {
    loop {
        std::hint::spin_loop();
    }
}

fn mode() -> String {
    env::var(MODE).unwrap_or_default()
}

#[orchestrator]
async fn bill(ctx: OrchestrationContext, name: String) -> Result<Value> {
    match mode().as_str() {
        "changed" => ctx.sleep(std::time::Duration::from_secs(1)).await,
        "stuck" => never_wait(),
        _ => {}
    }
    ctx.call_activity::<greet>(name).await?;
    Ok(ctx.wait_for_external_event::<Value>("go").await?)
}

/// What `durable replay` starts. Without a request there is nothing to do.
#[tokio::test]
async fn is_a_worker() {
    if env::var_os("DURABLE_REPLAY").is_none() {
        return;
    }
    print!("a line that was not ended: ");
    match mode().as_str() {
        "silent" => std::future::pending().await,
        "ends" => {
            println!("usage: my-app CONFIG");
            std::process::exit(3);
        }
        _ => {}
    }
    let host = DurableHost::builder().task_hub("Other").start().await;
    panic!("a host runs: {host:?}");
}

/// Starts an instance of `bill` and one of `wait`, and waits until both wait.
async fn begin(site: &Site) -> DurableHost {
    let host = site.host().await;
    let client = host.client();
    for id in ["bill-1", "bill-2"] {
        let run = client.start_new::<bill>("Ann").instance_id(id);
        run.await.unwrap();
        until(&client, id, RuntimeStatus::Running).await;
    }
    let run = client.start_new::<wait>(()).instance_id("wait-1");
    run.await.unwrap();
    until(&client, "wait-1", RuntimeStatus::Running).await;
    host
}

/// `durable replay` with this program as the worker.
fn replay(site: &Site, mode: &str, arguments: &[&str]) -> Command {
    let program = env::current_exe().unwrap();
    let mut command = site.command(&["replay", "--worker", program.to_str().unwrap()]);
    command
        .args(arguments)
        .args(["--", "--exact", "replay::is_a_worker", "--nocapture"])
        .env(MODE, mode);
    command
}

fn run(command: Command) -> Run {
    Run::of(command, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_safe_with_the_code_that_recorded_it() {
    let site = Site::new();
    let host = begin(&site).await;
    // While the host runs, and without it.
    assert_eq!(
        run(replay(&site, "", &[])).ok(),
        "3 safe, 0 diverging, 0 not replayed\n"
    );
    host.shutdown().await.unwrap();
    let report = run(replay(&site, "", &["--output", "json"])).json();
    assert_eq!(report["taskHub"], HUB);
    assert_eq!(report["safe"], 3);
    assert_eq!(report["diverging"], Value::Array(vec![]));
    assert_eq!(report["notReplayed"], Value::Array(vec![]));
    // Nothing has come of it in the storage: the instances go on.
    let host = site.host().await;
    let client = host.client();
    client.raise_event("bill-1", "go", 5).await.unwrap();
    until(&client, "bill-1", RuntimeStatus::Completed).await;
    host.shutdown().await.unwrap();
    assert!(!Path::new(&site.path("Other.db")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_diverges_is_listed_and_is_an_exit_code() {
    let site = Site::new();
    let host = begin(&site).await;
    let found = run(replay(&site, "changed", &[]));
    assert_eq!(found.code, 1, "{found:?}");
    let lines: Vec<_> = found.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{found:?}");
    assert!(lines[0].starts_with("ID "), "{found:?}");
    for (line, id) in [(lines[1], "bill-1"), (lines[2], "bill-2")] {
        let cells: Vec<_> = line.split("  ").filter(|cell| !cell.is_empty()).collect();
        let cells: Vec<_> = cells.into_iter().map(str::trim).collect();
        let wanted = [
            id,
            "bill",
            "Running",
            "1",
            "call #0 of activity \"greet\"",
            "made timer #0",
        ];
        assert_eq!(cells, wanted, "{found:?}");
    }
    assert_eq!(lines[3], "1 safe, 2 diverging, 0 not replayed");
    let told = "error: 2 instances would not go on with this program";
    assert!(found.stderr.contains(told), "{found:?}");
    let found = run(replay(
        &site,
        "changed",
        &["--output", "json", "--id-prefix", "bill-2"],
    ));
    assert_eq!(found.code, 1, "{found:?}");
    let report: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(report["safe"], 0);
    let diverging = &report["diverging"][0];
    for (field, wanted) in [
        ("instanceId", Value::from("bill-2")),
        ("orchestrator", "bill".into()),
        ("runtimeStatus", "Running".into()),
        ("step", 1.into()),
        ("event", 2.into()),
        ("history", "call #0 of activity \"greet\"".into()),
        ("code", "made timer #0".into()),
    ] {
        assert_eq!(diverging[field], wanted, "{field}: {report}");
    }
    // With filters by which none of them is meant.
    for filter in [
        ["--status", "suspended"],
        ["--name", "wait"],
        ["--tag", "a=b"],
    ] {
        let none = run(replay(&site, "changed", &filter));
        let says_so = none.stderr.contains("nothing was replayed");
        assert_eq!(says_so, filter[1] != "wait", "{none:?}");
        none.ok();
    }
    host.shutdown().await.unwrap();
}

// Nobody waits forever for a program that does not answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_hangs_is_stopped() {
    let site = Site::new();
    let host = begin(&site).await;
    let limit = ["--timeout", "2s"];
    run(replay(&site, "silent", &limit)).fails(6, &["has not begun to replay within 2s"]);
    let texts = [
        "has replayed instance \"bill-1\" for 2s",
        "without ever waiting",
    ];
    run(replay(&site, "stuck", &limit)).fails(6, &texts);
    host.shutdown().await.unwrap();
}

#[test]
fn a_program_that_does_not_replay_is_told() {
    let site = Site::new();
    let texts = [
        "ended without a replay",
        "exit status: 3",
        "usage: my-app CONFIG",
        "after `--`",
    ];
    run(replay(&site, "ends", &[])).fails(1, &texts);
}

#[test]
fn what_is_no_program_is_not_run() {
    let site = Site::new();
    let with = |worker: &str| site.durable(&["replay", "--worker", worker]);
    with("nowhere/my-app").fails(3, &["there is no program nowhere/my-app", "build it"]);
    site.write("script.sh", "#!/bin/sh\ntouch ran\n");
    with("script.sh").fails(
        2,
        &["script.sh cannot be asked for a replay", "not a script"],
    );
    site.write("text", "DURABLE_REPLAY");
    with("text").fails(2, &["the program text cannot be started"]);
    with(".").fails(2, &["the program . cannot be read"]);
    assert!(!site.path("ran").exists());
    site.durable(&["replay"]).fails(2, &["--worker <PROGRAM>"]);
    let remote = ["replay", "--worker", "text", "--url", "http://127.0.0.1:9"];
    site.durable(&remote)
        .fails(2, &["reads histories from storage", "--storage"]);
    let site = Site::empty();
    site.durable(&["replay", "--worker", "text"])
        .fails(3, &["DurableHub.db"]);
}

/// What a program is asked by its environment may be wrong, too.
#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let site = Site::new();
    for (request, part) in [
        ("", "EOF while parsing"),
        ("{", "EOF while parsing"),
        ("{\"storag\":\"x\"}", "unknown field `storag`"),
        (
            "{\"statuses\":[\"Sleeping\"]}",
            "unknown variant `Sleeping`",
        ),
        ("{}", "Other.db"),
        (
            "{\"storage\":\"DurableHub.db\",\"taskHub\":\"None\"}",
            "\\\"None\\\"",
        ),
        (
            "{\"storage\":\"DurableHub.db\",\"taskHub\":\"1 2\"}",
            "\\\"1 2\\\"",
        ),
    ] {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "replay::is_a_worker", "--nocapture"])
            .current_dir(site.path(""))
            .env("DURABLE_REPLAY", request);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let line = said.lines().last().unwrap();
        assert_eq!(output.status.code(), Some(2), "{request}: {said}");
        assert!(
            line.starts_with("{\"durableReplay\":{\"refused\":"),
            "{request}: {said}"
        );
        assert!(line.contains(part), "{request}: {part}: {said}");
    }
    assert!(!site.path("Other.db").exists());
}
