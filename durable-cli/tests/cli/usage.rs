//! Mistakes: each is told with what to do, in its exit code, and leaves nothing behind.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpListener;

use crate::support::{Run, Site};

#[test]
fn a_storage_file_that_does_not_exist_is_not_created() {
    let site = Site::empty();
    for arguments in [
        &["get-instances"][..],
        &["start-new", "hello"],
        &["purge-history", "--yes"],
        &["delete-task-hub", "--yes"],
        &["watch"],
    ] {
        let path = site.path("DurableHub.db");
        let texts = [
            path.to_str().unwrap(),
            "--storage",
            "DURABLE_STORAGE",
            "--url",
        ];
        site.durable(arguments).fails(3, &texts);
    }
    site.durable(&["get-instances", "--task-hub-name", "Orders"])
        .fails(3, &["Orders.db"]);
    site.durable(&["get-instances", "--storage", "nowhere/hub.db"])
        .fails(3, &["nowhere/hub.db"]);
    assert_eq!(std::fs::read_dir(site.path("")).unwrap().count(), 0);
}

#[test]
fn a_task_hub_that_does_not_exist_is_not_created() {
    let site = Site::new();
    let other = ["--storage", "DurableHub.db", "--task-hub-name", "Orders"];
    for command in ["get-instances", "watch", "entities"] {
        let run = site.durable(&[&[command][..], &other].concat());
        run.fails(3, &["\"Orders\"", "\"DurableHub\"", "--task-hub-name"]);
    }
    let hubs = durable_runtime::storage::StorageProvider::hubs(&site.storage());
    assert_eq!(hubs.unwrap(), ["DurableHub"]);
}

#[test]
fn what_is_no_task_hub_is_left_alone() {
    let site = Site::empty();
    site.write("empty.db", "");
    site.write(
        "text.db",
        "this is a text and no database, however long it is",
    );
    for file in ["empty.db", "text.db", "."] {
        let before = std::fs::read(site.path(file)).ok();
        let run = site.durable(&["get-instances", "--storage", file]);
        run.fails(1, &["is not a task hub"]);
        assert_eq!(std::fs::read(site.path(file)).ok(), before);
    }
    site.durable(&["get-instances", "-t", "1 2"])
        .fails(2, &["\"1 2\"", "letters"]);
    site.durable(&["get-instances", "--storage", "postgres://db/hub"])
        .fails(2, &["postgres://", "--url"]);
    site.durable(&["get-instances", "--storage", "http://127.0.0.1:7071"])
        .fails(2, &["--url"]);
}

#[test]
fn the_place_is_said_once() {
    let site = Site::new();
    site.durable(&["get-instances", "--storage", "a.db", "--url", "http://b"])
        .fails(2, &["--storage", "--url"]);
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.envs(variables.iter().copied());
        Run::of(command, "")
    };
    let hub = site.path("DurableHub.db");
    let hub = hub.to_str().unwrap();
    with(&[("DURABLE_STORAGE", hub)], &["get-instances"]).ok();
    with(
        &[("DURABLE_STORAGE", "a.db")],
        &["get-instances", "-s", hub],
    )
    .ok();
    with(
        &[("DURABLE_STORAGE", hub), ("DURABLE_URL", "http://b")],
        &["get-instances"],
    )
    .fails(2, &["DURABLE_STORAGE", "DURABLE_URL"]);
    with(
        &[("DURABLE_TASK_HUB", "Other"), ("DURABLE_STORAGE", hub)],
        &["get-instances"],
    )
    .fails(3, &["\"Other\""]);
    let setting = ["get-instances", "--connection-string-setting", "MyStorage"];
    with(&[("MyStorage", hub)], &setting).ok();
    with(&[], &setting).fails(2, &["\"MyStorage\""]);
}

#[test]
fn bad_json_is_shown_with_the_mistake_and_the_remedy() {
    let site = Site::new();
    site.durable(&["start-new", "hello", "--input", "Tokyo"])
        .fails(
            2,
            &[
                "--input is not JSON",
                "line 1 column 1",
                "\n  Tokyo\n  ^",
                "'\"Tokyo\"'",
            ],
        );
    site.durable(&["raise-event", "a", "-e", "go", "--event-data", "{\"a\": }"])
        .fails(2, &["--event-data", "column 7", "\n        ^"]);
    site.durable(&[
        "signal-entity",
        "@c@k",
        "--op",
        "add",
        "--input",
        "@none.json",
    ])
    .fails(3, &["none.json"]);
    site.write("bad.json", "[1,");
    site.durable(&["start-new", "hello", "--input", "@bad.json"])
        .fails(2, &["bad.json", "EOF"]);
    site.durable_reading(&["start-new", "hello", "--input", "-"], "{")
        .fails(2, &["stdin"]);
    assert!(site.durable(&["get-instances"]).ok().is_empty());
}

#[test]
fn values_that_cannot_be_read_are_told_what_can() {
    let site = Site::new();
    site.durable(&["get-instances", "--created-after", "yesterday"])
        .fails(2, &["2030-01-31T12:00:00Z", "2h"]);
    site.durable(&["start-new", "hello", "--start-at", "soon"])
        .fails(2, &["2030-01-31T12:00:00Z", "from now"]);
    site.durable(&["get-instances", "--runtime-status", "done"])
        .fails(
            2,
            &[
                "Pending",
                "Running",
                "Completed",
                "Failed",
                "Terminated",
                "Suspended",
            ],
        );
    site.durable(&["purge-history", "--yes", "--runtime-status", "running"])
        .fails(2, &["Running", "Completed, Failed and Terminated"]);
    site.durable(&["get-instances", "--tags", "red"])
        .fails(2, &["key=value"]);
    site.durable(&["get-instances", "--top", "0"])
        .fails(2, &["--top"]);
    site.durable(&["watch", "--interval", "fast"])
        .fails(2, &["500ms"]);
    site.durable(&["entities", "counter"])
        .fails(2, &["@name@key"]);
    site.durable(&["get-instances", "--continuation-token", "x"])
        .fails(2, &["begin again without one"]);
    site.durable(&["start-new", "hello", "--id", "a/b"])
        .fails(2, &["\"a/b\"", "must not contain"]);
    site.durable(&["raise-event", "--event-name", "go"])
        .fails(2, &["ID"]);
    site.durable(&["get-instance"]).fails(2, &["get-instances"]);
    site.durable(&["get-history", "x", "--url", "nowhere"])
        .fails(2, &["nowhere", "http://127.0.0.1:7071"]);
}

#[test]
fn what_destroys_asks_first() {
    let site = Site::new();
    for arguments in [
        &["purge-history"][..],
        &["purge-history", "--id", "a"],
        &["delete-task-hub"],
    ] {
        site.durable(arguments)
            .fails(2, &["cannot be undone", "--yes"]);
        // Nobody can say yes through a pipe.
        site.durable_reading(arguments, "y\n").fails(2, &["--yes"]);
    }
    site.durable(&["get-instances"]).ok();
}

#[test]
fn nobody_at_the_url_is_told_at_once() {
    let site = Site::empty();
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for command in ["get-instances", "watch", "entities"] {
        let run = site.durable(&[command, "--url", &url, "--code", "sesame"]);
        assert!(!run.stderr.contains("sesame"), "{run:?}");
        run.fails(5, &[&url, "--storage"]);
    }
}

#[test]
fn somebody_at_the_url_who_says_nothing_is_not_waited_for() {
    let site = Site::empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    site.durable(&["get-instances", "--url", &url, "--timeout", "200ms"])
        .fails(6, &["--timeout"]);
}

/// The key is for the host that was named.
#[test]
fn a_redirection_is_not_followed() {
    let site = Site::empty();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let location = elsewhere.local_addr().unwrap();
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
        while !request.next().unwrap().unwrap().is_empty() {}
        let head = "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: http://";
        write!(stream, "{head}{location}/\r\n\r\n").unwrap();
    });
    site.durable(&["get-instances", "--url", &url, "--code", "sesame"])
        .fails(1, &["307", "somewhere else"]);
    answer.join().unwrap();
    let error = elsewhere.accept().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn every_command_has_help_with_examples() {
    let site = Site::empty();
    let help = site.durable(&["--help"]).ok();
    for line in [
        "Exit codes:",
        "  3  not found",
        "  5  no host runs",
        "  6  no answer",
    ] {
        assert!(help.contains(line), "{help}");
    }
    for command in [
        "start-new",
        "get-runtime-status",
        "get-history",
        "get-instances",
        "raise-event",
        "terminate",
        "suspend",
        "resume",
        "rewind",
        "restart",
        "purge-history",
        "delete-task-hub",
        "entities",
        "signal-entity",
        "watch",
        "completions",
    ] {
        assert!(help.contains(command), "{help}");
        let help = site.durable(&[command, "--help"]).ok();
        assert!(
            help.contains(&format!("Examples:\n  durable {command}")),
            "{help}"
        );
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    let site = Site::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = site.durable(&["completions", shell]).ok();
        assert!(script.contains("get-instances"), "{shell}");
        assert!(script.contains("runtime-status"), "{shell}");
    }
    site.durable(&["completions", "tcsh"])
        .fails(2, &["bash", "zsh", "fish"]);
}
