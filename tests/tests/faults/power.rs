//! The power fails, on a disk that has failed before.
//!
//! One run of a process is noted, write by write and sync by sync. From that follows what would have been on
//! the disk had the power failed at any instant of it: with the pages that were synced, and any of those
//! that were not. A failed sync has lost its pages. Whatever was acknowledged up to that instant has to be
//! there.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::disk::answers;
use crate::process::Process;
use crate::random::Random;
use crate::shim::Calls::Sync;
use crate::shim::{Bench, Errno, tell};
use crate::trace::{self, Change, Disk, Place};

/// At how many instants the power fails, unless `POWER_FAILURES` says otherwise.
const FAILURES: u64 = 150;
/// How often the disk fails during the run.
const OUTAGES: usize = 6;

/// A bench whose processes note what they write.
fn traced() -> Bench {
    let mut bench = Bench::new();
    let trace = bench.site.file("trace");
    let witness = bench.site.file("acknowledged");
    bench
        .site
        .environment
        .extend([("FAULTS_TRACE", trace), ("FAULTS_WITNESS", witness)]);
    bench
}

/// Starts some instances, of which some are in the middle when this returns.
fn some_work(process: &mut Process, name: &str) {
    for number in 0..6 {
        tell(process, &format!("start fan_out {name}-{number}"));
    }
    answers(process, 6);
}

/// Has the power fail at so many instants of the run, and looks whether what was acknowledged is there.
fn assert_survives_power_failures(bench: &Bench) {
    let failures = std::env::var("POWER_FAILURES").map_or(FAILURES, |text| text.parse().unwrap());
    let seed = std::env::var("POWER_SEED").map(|text| text.parse().unwrap());
    let mut random = Random::new(seed.ok());
    println!("POWER_SEED={} POWER_FAILURES={failures}", random.seed());
    let changes = trace::read(&bench.site.file("trace"));
    let acknowledged = changes
        .iter()
        .position(|(place, _)| *place == Place::Acknowledged);
    let first = acknowledged.expect("nothing was acknowledged");
    let last = changes.len() - 1;
    let between = |random: &mut Random| {
        let instant = random.between(first.try_into().unwrap(), last.try_into().unwrap());
        usize::try_from(instant).unwrap()
    };
    let mut instants: BTreeSet<_> = (0..failures).map(|_| between(&mut random)).collect();
    instants.insert(last);
    let mut disk = Disk::default();
    for (instant, (place, change)) in changes.iter().enumerate() {
        disk.apply(*place, change);
        if instants.contains(&instant) {
            // From no luck at all to all of it.
            let luck = random.between(0, 4);
            check(&disk, || random.between(1, 4) <= luck);
        }
    }
    let failed = changes
        .iter()
        .filter(|(_, change)| matches!(change, Change::NotSynced));
    println!(
        "{} power failures in {} changes with {} failed syncs",
        instants.len(),
        changes.len(),
        failed.count()
    );
}

/// Puts what is on the disk into a directory of its own, and opens it.
fn check(disk: &Disk, mut is_lucky: impl FnMut() -> bool) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("hub.db");
    let log = PathBuf::from(format!("{}-wal", path.display()));
    fs::write(
        &path,
        disk.after_power_failure(Place::Database, &mut is_lucky),
    )
    .unwrap();
    fs::write(log, disk.after_power_failure(Place::Log, &mut is_lucky)).unwrap();
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT id FROM instances").unwrap();
    let ids: BTreeSet<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let acknowledged = String::from_utf8(disk.in_memory(Place::Acknowledged).to_vec()).unwrap();
    for line in acknowledged.lines() {
        let id = line.strip_prefix("started ").unwrap();
        assert!(ids.contains(id), "{id} was acknowledged and is lost");
    }
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

/// Rules 45 and 46: commits whose sync failed were tried again, and what was acknowledged then is on the
/// disk, wherever the log begins anew in between.
#[test]
fn what_was_acknowledged_survives_failed_syncs_and_a_power_failure() {
    let bench = traced();
    let mut process = bench.serve();
    for outage in 0..OUTAGES {
        some_work(&mut process, &format!("before-{outage}"));
        let end = ["-wal", "*", "hub.db"][outage % 3];
        bench.fail(&[(Sync, Errno::Io, end)]);
        if end != "hub.db" {
            tell(&mut process, &format!("start chain during-{outage}"));
            bench.wait_for_hits(3);
        }
        bench.mend();
        if end != "hub.db" {
            answers(&process, 1);
        }
    }
    some_work(&mut process, "after");
    process.stop();
    assert_survives_power_failures(&bench);
}

/// Rules 45 and 46: a process is killed after a sync has failed. The next one finds in memory what is not on
/// the disk, and goes on from there; so it must put it there first.
#[test]
fn what_a_killed_process_could_not_sync_is_synced_by_the_next() {
    let bench = traced();
    for round in 0..4 {
        let mut process = bench.serve();
        some_work(&mut process, &format!("{round}"));
        bench.fail(&[(Sync, Errno::Io, "*")]);
        tell(&mut process, &format!("start chain during-{round}"));
        bench.wait_for_hits(2);
        drop(process);
        bench.mend();
    }
    let mut process = bench.serve();
    some_work(&mut process, "last");
    process.stop();
    assert_survives_power_failures(&bench);
}
