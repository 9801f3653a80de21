//! Files that others delete, replace or empty while a host uses them. A host that noticed nothing would
//! go on to acknowledge what nobody will ever find.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;

use durable_runtime::client::OrchestrationStatus;

use crate::disk::{answers, assert_all_completed};
use crate::process::{PATIENCE, Process};
use crate::shim::{Bench, tell};

/// What a host says whose files are not its own any more.
const SAYS: &str = "is not what this program has opened any more";

/// A host that has started and ended some instances.
fn busy_bench() -> (Bench, Process) {
    let bench = Bench::new();
    let mut process = bench.serve();
    for number in 0..3 {
        tell(&mut process, &format!("start chain before-{number}"));
    }
    answers(&process, 3);
    for number in 0..3 {
        tell(&mut process, &format!("wait before-{number}"));
    }
    answers(&process, 3);
    (bench, process)
}

fn beside(bench: &Bench, end: &str) -> PathBuf {
    format!("{}{end}", bench.site.database().display()).into()
}

/// Has the process do something, which it must not acknowledge; it ends, and says why.
fn assert_stops(bench: &Bench, mut process: Process, says: &str) {
    tell(&mut process, "start chain during");
    let answer = process.lines.recv_timeout(PATIENCE);
    match answer {
        // Its last word.
        Ok(refused) => assert!(refused.starts_with("refused during: "), "{refused}"),
        Err(error) => assert_eq!(error, RecvTimeoutError::Disconnected),
    }
    assert!(!process.wait().success());
    let told = bench.log();
    assert!(told.contains(SAYS) && told.contains(says), "{told}");
    assert!(
        !bench
            .site
            .lines("acknowledged")
            .contains(&"started during".to_owned())
    );
}

fn status(bench: &Bench, id: &str) -> Option<OrchestrationStatus> {
    let client = bench.site.connect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime
        .block_on(async { client.get_status(id).await })
        .unwrap()
}

/// Rule 46: commits would go to a file that has no name any more.
#[test]
fn a_deleted_file_stops_the_host() {
    let (bench, process) = busy_bench();
    fs::remove_file(bench.site.database()).unwrap();
    assert_stops(&bench, process, "it was deleted or moved away");
}

/// Rule 46: the same with all that belongs to it.
#[test]
fn deleted_files_stop_the_host() {
    let (bench, process) = busy_bench();
    for end in ["", "-wal", "-shm", "-turn", "-crash-lock"] {
        fs::remove_file(beside(&bench, end)).unwrap();
    }
    assert_stops(&bench, process, "it was deleted or moved away");
    // A host begins anew where there is nothing.
    fs::remove_file(bench.site.file("acknowledged")).unwrap();
    let mut next = bench.serve();
    tell(&mut next, "start chain next");
    answers(&next, 1);
    tell(&mut next, "wait next");
    assert_eq!(answers(&next, 1), ["ended next"]);
    next.stop();
    assert_all_completed(&bench, 1);
}

/// Rule 46: a host that has nothing to do notices it when it renews its leases.
#[test]
fn a_file_that_is_moved_away_stops_a_host_that_does_nothing_and_can_be_put_back() {
    let (bench, process) = busy_bench();
    let away = bench.site.file("away.db");
    fs::rename(bench.site.database(), &away).unwrap();
    assert!(!process.wait().success());
    let told = bench.log();
    assert!(told.contains(SAYS), "{told}");
    fs::rename(&away, bench.site.database()).unwrap();
    let next = bench.serve();
    assert!(status(&bench, "before-2").is_some());
    next.stop();
    assert_all_completed(&bench, 3);
}

/// Rule 46: a backup is restored under a host that runs. What the host still has does not get into it.
#[test]
fn a_file_that_is_replaced_stops_the_host_and_is_left_alone() {
    let (bench, process) = busy_bench();
    let other = Bench::new();
    let mut elsewhere = other.serve();
    tell(&mut elsewhere, "start chain elsewhere");
    answers(&elsewhere, 1);
    tell(&mut elsewhere, "wait elsewhere");
    answers(&elsewhere, 1);
    elsewhere.stop();
    fs::rename(other.site.database(), bench.site.database()).unwrap();
    assert_stops(&bench, process, "another file is in its place");
    // As the message says: together with its log.
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(beside(&bench, end));
    }
    bench.assert_sound();
    assert!(status(&bench, "elsewhere").is_some());
    assert!(status(&bench, "before-0").is_none());
}

/// Rule 46: a file that somebody empties is not written on, and not taken for a new one.
#[test]
fn an_emptied_file_stops_the_host_and_is_not_taken_for_a_new_one() {
    let (bench, process) = busy_bench();
    File::create(bench.site.database()).unwrap();
    assert_stops(&bench, process, "it was emptied");
    bench.assert_does_not_start("to begin anew, remove both");
}

/// Rules 45 and 46: what was in a deleted log is not lost, as long as the process lives that has it.
#[test]
fn a_deleted_log_stops_the_host_and_loses_nothing() {
    let (bench, process) = busy_bench();
    fs::remove_file(beside(&bench, "-wal")).unwrap();
    assert_stops(
        &bench,
        process,
        "its write-ahead log was deleted or moved away",
    );
    let next = bench.serve();
    assert!(status(&bench, "before-2").is_some());
    next.stop();
    assert_all_completed(&bench, 3);
}

/// Rule 46: what was in an emptied log and not yet in the database is gone; the rest stays sound.
#[test]
fn an_emptied_log_stops_the_host_and_does_not_damage_the_rest() {
    let (bench, process) = busy_bench();
    process.stop();
    let process = bench.serve();
    File::create(beside(&bench, "-wal")).unwrap();
    assert_stops(&bench, process, "its write-ahead log was emptied");
    let next = bench.serve();
    assert!(status(&bench, "before-2").is_some());
    next.stop();
    assert_all_completed(&bench, 3);
}
