//! Two processes on one file, both of which start instances, and both of which are killed, or put to sleep
//! for longer than their leases. Whoever is left takes everything over.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::Connection;

use crate::evidence::{Evidence, NAMES};
use crate::process::{PATIENCE, Process, Site};
use crate::random::Random;
use crate::{FOR_EVER, check_entities, kill_after, mix, undisturbed, variable};

/// How often one of them is killed, unless `CRASH_PAIR_ROUNDS` says otherwise.
const ROUNDS: u32 = 30;
/// One time of so many it is put to sleep instead.
const SLEEPS: u64 = 10;
/// In seconds: the shortest there is.
const LEASE: u32 = 1;

/// Rules 23, 33, 35, 38, 41 and 45: whatever was acknowledged by either process is done in the end, once.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_left_loses_nothing() {
    let expected = undisturbed().await;
    let rounds = variable("CRASH_PAIR_ROUNDS").map_or(ROUNDS.into(), |rounds| rounds);
    let mut random = Random::new(variable("CRASH_SEED"));
    println!("CRASH_SEED={} CRASH_PAIR_ROUNDS={rounds}", random.seed());

    let site = Site::new();
    let mut pair = NAMES.map(|name| mix(&site, name, LEASE, FOR_EVER));
    let (mut sleeps, mut takeovers) = (0, 0);
    let mut owner = BTreeSet::new();
    for _ in 0..rounds {
        let chosen = usize::try_from(random.between(0, 1)).unwrap();
        let delay = Duration::from_millis(random.between(20, 400));
        if random.between(1, SLEEPS) == 1 {
            sleeps += u32::from(put_to_sleep(&site, &pair[chosen], &pair[1 - chosen]));
        } else {
            let ended = tokio::task::block_in_place(|| kill_after(&mut pair[chosen], delay));
            assert_eq!(ended, None, "it ended by itself: {}", log(&site));
            pair[chosen] = mix(&site, NAMES[chosen], LEASE, FOR_EVER);
        }
        let now = owners(&site);
        takeovers += u32::from(now != owner);
        owner = now;
    }
    drop(pair);
    // Both finish what they have begun.
    let last = NAMES.map(|name| mix(&site, name, LEASE, 0));
    for process in last {
        let status = tokio::task::block_in_place(|| process.wait());
        assert!(status.success(), "{status}: {}", log(&site));
    }

    let last = site.serve(LEASE, u32::MAX);
    let client = site.connect();
    let evidence = Evidence::gather(&site, &client).await;
    evidence.check(&expected, &[]);
    check_entities(&client, &evidence).await;
    last.stop();
    let verdict: String = Connection::open(site.database())
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    println!(
        "{rounds} kills, {sleeps} sleeps and {takeovers} changes of the owner survived: {}",
        evidence.summary()
    );
}

fn log(site: &Site) -> String {
    let lines = site.lines("log");
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// The ids of the processes that hold leases.
fn owners(site: &Site) -> BTreeSet<u32> {
    let connection = Connection::open(site.database()).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    // One process may have been killed before it has made the tables.
    let Ok(mut statement) = connection.prepare("SELECT owner FROM leases WHERE owner IS NOT NULL")
    else {
        return BTreeSet::new();
    };
    let owners = statement.query_map([], |row| row.get::<_, String>(0));
    let owners = owners.unwrap().filter_map(|owner| {
        let owner = owner.unwrap();
        owner.split('-').next()?.parse().ok()
    });
    owners.collect()
}

/// Stops a process until its leases have run out and the other one has them all, if it comes to that: one
/// that is stopped in the middle of a commit holds the file, and nobody can take anything. Returns whether
/// it has come to that.
fn put_to_sleep(site: &Site, process: &Process, other: &Process) -> bool {
    const NAP: Duration = Duration::from_secs(3);
    let began = std::time::Instant::now();
    process.signal("STOP");
    let all = BTreeSet::from([other.child.id()]);
    let mut has_taken_over = false;
    while !has_taken_over && began.elapsed() < NAP {
        std::thread::sleep(Duration::from_millis(10));
        has_taken_over = owners(site) == all;
    }
    process.signal("CONT");
    has_taken_over
}
