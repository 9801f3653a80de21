//! A disk that fails for a while.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use durable_runtime::client::RuntimeStatus;

use crate::process::Process;
use crate::shim::Calls::{Open, Read, Sync, Write};
use crate::shim::{Bench, Errno, Fault, tell};

/// How often commits are tried and fail, so that the same fault has come more than once.
const OFTEN: usize = 4;

/// Starts instances of every sort, some of which are in the middle of what they do when the disk fails;
/// then one while it does. Whatever was acknowledged has to be there in the end, also after a kill.
fn survives(faults: &[Fault], says: &str) {
    let bench = Bench::new();
    let mut process = bench.serve();
    for number in 0..3 {
        tell(&mut process, &format!("start chain before-{number}"));
    }
    let mut started = answers(&process, 3);
    tell(&mut process, "start behind_the_gate gated");
    started.extend(answers(&process, 1));
    bench.wait_until("the activity runs", || {
        let journal = bench.site.lines("journal");
        journal.iter().any(|line| line.starts_with("gated/"))
    });

    bench.fail(faults);
    tell(&mut process, "start chain during");
    // What comes of this cannot be stored either.
    std::fs::write(bench.site.file("journal.gate"), "").unwrap();
    bench.wait_for_hits(OFTEN);
    bench.wait_for_log(says);
    assert_eq!(
        process.lines.recv_timeout(Duration::ZERO),
        Err(RecvTimeoutError::Timeout),
        "acknowledged without being stored"
    );

    bench.mend();
    assert_eq!(answers(&process, 1), ["started during"]);
    tell(&mut process, "start chain after");
    assert_eq!(answers(&process, 1), ["started after"]);
    for id in [
        "before-0", "before-1", "before-2", "gated", "during", "after",
    ] {
        tell(&mut process, &format!("wait {id}"));
        assert_eq!(answers(&process, 1), [format!("ended {id}")]);
    }
    // What each activity has done was kept: none was run again.
    assert_eq!(bench.site.lines("journal").len(), 5 * 10 + 2);
    drop(process);
    assert_all_completed(&bench, 6);
}

/// Rule 46: a host does not start on what it cannot write to, and says so.
#[test]
fn a_file_that_cannot_be_written_to_is_refused_at_start_up() {
    let bench = Bench::new();
    let mut process = bench.serve();
    tell(&mut process, "start chain one");
    assert_eq!(answers(&process, 1), ["started one"]);
    process.stop();
    bench.fail(&[(Open, Errno::Access, "*")]);
    bench.assert_does_not_start("check its permissions");
    bench.mend();
    let mut process = bench.serve();
    tell(&mut process, "wait one");
    assert_eq!(answers(&process, 1), ["ended one"]);
    process.stop();
    assert_all_completed(&bench, 1);
}

/// Rule 46: nor on a full disk, or one that does not take what it is given.
#[test]
fn a_disk_that_fails_is_told_of_at_start_up() {
    for (error, says) in [
        (Errno::NoSpace, "free space on its disk"),
        (Errno::Io, "check its disk"),
    ] {
        let bench = Bench::new();
        bench.fail(&[(Write, error, "*")]);
        bench.assert_does_not_start(says);
        bench.mend();
        let mut process = bench.serve();
        tell(&mut process, "start chain one");
        assert_eq!(answers(&process, 1), ["started one"]);
        tell(&mut process, "wait one");
        assert_eq!(answers(&process, 1), ["ended one"]);
        process.stop();
        assert_all_completed(&bench, 1);
    }
}

/// After the end of all processes.
pub(crate) fn assert_all_completed(bench: &Bench, number: usize) {
    bench.assert_sound();
    let client = bench.site.connect();
    let acknowledged = bench.site.lines("acknowledged");
    assert_eq!(acknowledged.len(), number, "{acknowledged:?}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for line in acknowledged {
        let id = line.strip_prefix("started ").unwrap();
        let status = runtime.block_on(async { client.get_status(id).await });
        let status = status.unwrap().unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!(status.runtime_status, RuntimeStatus::Completed, "{id}");
    }
}

pub(crate) fn answers(process: &Process, number: usize) -> Vec<String> {
    let lines = (0..number).map(|_| process.lines.recv_timeout(crate::process::PATIENCE));
    let mut lines: Vec<_> = lines.map(Result::unwrap).collect();
    lines.sort();
    lines
}

/// Rule 46: what cannot be written is not acknowledged, and all goes on when there is room.
#[test]
fn a_full_disk_is_waited_for() {
    survives(&[(Write, Errno::NoSpace, "*")], "free space on its disk");
}

/// Rule 46: the same when there is room for a part of what is written.
#[test]
fn a_disk_that_becomes_full_in_the_middle_of_a_write_is_waited_for() {
    let faults = [(Write, Errno::Half, "-wal"), (Sync, Errno::NoSpace, "-wal")];
    survives(&faults, "check its disk");
}

/// Rule 46: a quota is a full disk of one user.
#[test]
fn a_quota_is_waited_for() {
    survives(&[(Write, Errno::Quota, "*")], "check its disk");
}

/// Rules 45 and 46: a commit whose sync has failed may not be on the disk, whatever the next sync says: it
/// is written again, all of it.
#[test]
fn a_commit_that_is_not_synced_is_not_acknowledged() {
    survives(&[(Sync, Errno::Io, "*")], "check its disk");
}

/// Rule 46: writes that fail.
#[test]
fn a_disk_that_does_not_take_writes_is_waited_for() {
    survives(&[(Write, Errno::Io, "*")], "check its disk");
}

/// Rule 46: reads that fail. What is in memory goes on; what has to be read waits.
#[test]
fn a_disk_that_does_not_give_what_is_on_it_is_waited_for() {
    let bench = Bench::new();
    let mut process = bench.serve();
    tell(&mut process, "start events waits");
    assert_eq!(answers(&process, 1), ["started waits"]);
    process.stop();
    let mut process = bench.serve();
    bench.fail(&[(Read, Errno::Io, "*")]);
    // It has to be looked for, in case it is there.
    tell(&mut process, "start chain during");
    bench.wait_for_hits(OFTEN);
    bench.mend();
    assert_eq!(answers(&process, 1), ["started during"]);
    tell(&mut process, "wait during");
    assert_eq!(answers(&process, 1), ["ended during"]);
    drop(process);
    bench.assert_sound();
}

/// Rule 46: a file system becomes read-only when its disk has errors.
#[test]
fn a_file_system_that_becomes_read_only_is_waited_for() {
    let faults = [(Write, Errno::ReadOnly, "*"), (Open, Errno::ReadOnly, "*")];
    survives(&faults, "check its disk");
}
