//! What is printed where: pipes, colours, and texts that others have stored.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rusqlite::Connection;

use crate::support::{PATIENCE, Site};

const ESCAPE: char = '\u{1b}';

/// Puts instances into a hub that nobody runs, as a host would take long for many.
const INSERT: &str = "
    WITH RECURSIVE numbers (number) AS (
        VALUES (1) UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1
    )
    INSERT INTO instances (hub, id, partition, execution, name, status, created, updated)
    SELECT hubs.key, printf('%s%05d', ?2, number), 0, zeroblob(16), ?3, 'Completed', number, number
    FROM numbers, hubs";

fn insert(site: &Site, count: u32, id: &str, name: &str) {
    let connection = Connection::open(site.path("DurableHub.db")).unwrap();
    connection.execute(INSERT, (count, id, name)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_for_terminals() {
    let site = Site::new();
    let host = site.host().await;
    let start = host.client().start_new_by_name("echo", 1);
    start.instance_id("one").await.unwrap();
    let client = host.client();
    client.wait_for_completion("one", PATIENCE).await.unwrap();
    host.shutdown().await.unwrap();
    for arguments in [
        &["get-instances"][..],
        &["get-runtime-status", "one"],
        &["get-history", "one"],
        &["entities"],
        &["--help"],
        &["get-instances", "--nonsense"],
        &["get-instances", "--storage", "none.db"],
    ] {
        let run = site.durable(arguments);
        assert!(!run.stdout.contains(ESCAPE), "{run:?}");
        assert!(!run.stderr.contains(ESCAPE), "{run:?}");
        assert!(!run.stdout.is_empty() || !run.stderr.is_empty());
    }
    let coloured = site.durable(&["get-instances", "--color", "always"]).ok();
    assert!(coloured.contains("\u{1b}[32mCompleted"), "{coloured:?}");
    let json = site.durable(&["get-instances", "--color", "always", "-o", "json"]);
    assert!(!json.ok().contains(ESCAPE));
}

// Rule 11: all of them, once, in order.
#[test]
fn long_lists_are_whole() {
    let site = Site::new();
    insert(&site, 5_000, "many-", "echo");
    let table = site.durable(&["get-instances"]).ok();
    let ids = table.lines().skip(1).map(|line| line.split(' ').next());
    let ids: Vec<_> = ids.map(Option::unwrap).collect();
    let expected: Vec<_> = (1..=5_000).map(|n| format!("many-{n:05}")).collect();
    assert_eq!(ids, expected);
    let list = site
        .durable(&["get-instances", "-o", "json", "--top", "1500"])
        .json();
    assert_eq!(list["instances"].as_array().unwrap().len(), 1_500);
    let token = list["continuationToken"].as_str().unwrap();
    let rest = ["get-instances", "-o", "json", "--continuation-token", token];
    let rest = site.durable(&rest).json();
    assert_eq!(rest["instances"].as_array().unwrap().len(), 3_500);
    assert_eq!(rest["instances"][0]["instanceId"], "many-01501");
}

/// The most memory that the process has had so far, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}

/// What has been printed is forgotten.
#[cfg(target_os = "linux")]
#[test]
fn a_list_of_any_length_needs_little_memory() {
    const COUNT: u32 = 99_999;
    /// More than a pipe holds: so long before the end the command cannot have ended.
    const REST: usize = 3_000;
    let site = Site::new();
    insert(&site, COUNT, "many-", "echo");
    let mut child = site.command(&["get-instances"]).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = stdout.lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("ID"));
    let before = peak_memory(child.id());
    let last = lines.nth(COUNT as usize - REST).unwrap();
    assert!(last.starts_with("many-"), "{last}");
    let grown = peak_memory(child.id()) - before;
    // All of them would be some 30 MiB.
    assert!(grown < 8 << 10, "it has grown by {grown} KiB");
    assert_eq!(lines.count(), REST - 1);
    assert!(child.wait().unwrap().success());
}

/// As `durable get-instances | head -1` does.
#[test]
fn a_reader_who_has_seen_enough_is_no_mistake() {
    let site = Site::new();
    insert(&site, 20_000, "many-", "echo");
    for format in ["table", "json"] {
        let mut command = site.command(&["get-instances", "--output", format]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        drop(stdout);
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
    }
}

#[test]
fn what_others_have_stored_does_not_steer_the_terminal() {
    let site = Site::new();
    insert(&site, 1, "bad-", "a\u{1b}[2J\u{9b}31mb\nc");
    for arguments in [
        &["get-instances"][..],
        &["get-runtime-status", "bad-00001"],
        &["get-history", "bad-00001"],
        &["watch", "--runtime-status", "completed", "--for", "1ms"],
    ] {
        let text = site.durable(arguments).ok();
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(steers), "{text:?}");
        assert!(text.contains("b c"), "{text:?}");
    }
    let exact = site.durable(&["get-instances", "-o", "json"]).json();
    assert_eq!(exact["instances"][0]["name"], "a\u{1b}[2J\u{9b}31mb\nc");
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let site = Site::new();
    insert(&site, 1, "bad-", "echo");
    let connection = Connection::open(site.path("DurableHub.db")).unwrap();
    connection
        .execute("UPDATE instances SET status = 'Lost'", [])
        .unwrap();
    drop(connection);
    site.durable(&["get-instances"])
        .fails(1, &["bad-00001", "is damaged"]);
}
