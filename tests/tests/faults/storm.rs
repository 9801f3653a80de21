//! A disk that fails again and again, in every way, under a process that is killed again and again.

use std::time::Duration;

use durable_runtime::client::RuntimeStatus;

use crate::random::Random;
use crate::shim::Calls::{Open, Read, Sync, Write};
use crate::shim::{Bench, Errno, Fault};

/// How often the disk fails, unless `STORM_ROUNDS` says otherwise.
const ROUNDS: u64 = 25;

const FAULTS: [&[Fault]; 7] = [
    &[(Write, Errno::NoSpace, "*")],
    &[(Write, Errno::Half, "-wal"), (Sync, Errno::Io, "*")],
    &[(Sync, Errno::Io, "-wal")],
    &[(Sync, Errno::Io, "hub.db")],
    &[(Write, Errno::Io, "*")],
    &[(Read, Errno::Io, "*")],
    &[(Write, Errno::ReadOnly, "*"), (Open, Errno::ReadOnly, "*")],
];

/// Rules 45 and 46: what was acknowledged between all that is done in the end. (A process that starts while
/// the disk fails may end by itself, and is started again.)
#[test]
fn a_disk_that_fails_and_kills_lose_nothing() {
    let rounds = std::env::var("STORM_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let seed = std::env::var("STORM_SEED").map(|text| text.parse().unwrap());
    let mut random = Random::new(seed.ok());
    println!("STORM_SEED={} STORM_ROUNDS={rounds}", random.seed());
    let bench = Bench::new();
    let start = |batches| bench.site.spawn("mix", ["a", "15", batches]);
    let mut process = start("1000000");
    let mut kills = 0;
    for _ in 0..rounds {
        std::thread::sleep(Duration::from_millis(random.between(20, 300)));
        let last = u64::try_from(FAULTS.len() - 1).unwrap();
        bench.fail(FAULTS[usize::try_from(random.between(0, last)).unwrap()]);
        std::thread::sleep(Duration::from_millis(random.between(20, 300)));
        let is_killed = random.between(0, 2) == 0;
        if is_killed || process.child.try_wait().unwrap().is_some() {
            kills += u32::from(is_killed);
            process = start("1000000");
        }
        bench.mend();
    }
    drop(process);
    let status = start("0").wait();
    assert!(status.success(), "{status}: {}", bench.log());
    bench.assert_sound();

    let client = bench.site.connect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let lines = bench.site.lines("acknowledged-a");
    let started = lines
        .iter()
        .filter_map(|line| line.strip_prefix("started "));
    let mut number = 0;
    for id in started {
        let status = runtime.block_on(async { client.get_status(id).await });
        let status = status.unwrap().unwrap_or_else(|| panic!("{id} is lost"));
        assert_eq!(
            status.runtime_status,
            RuntimeStatus::Completed,
            "{id}: {status:?}"
        );
        number += 1;
    }
    assert!(number > 0, "nothing was acknowledged: {}", bench.log());
    println!(
        "{number} starts acknowledged, {kills} kills, {} calls failed",
        bench.hits()
    );
}
