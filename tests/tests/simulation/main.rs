//! Generated programs on several hosts, with everything going wrong that can: see `tests::simulation`.

use std::time::Duration;

use durable_runtime::host::HostOptions;
use durable_runtime::simulation::{Cluster, ClusterOptions, Faults, Outcome};
use tests::simulation::{Options, run, run_watched};

/// So many by each of two tests, which run beside one another. Most mistakes are found by a few dozen; for more,
/// there is `cargo run -p tests --bin simulate`.
const SEEDS: u64 = 500;

fn options(seed: u64) -> Options {
    Options {
        seed,
        trace: false,
        without_faults: false,
    }
}

fn all_right(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let outcome = run_watched(options(seed));
        assert!(
            outcome.violations.is_empty(),
            "seed {seed}: {:#?}\n`cargo run -p tests --bin simulate -- --seed {seed}` repeats it",
            outcome.violations
        );
    }
}

// Rules 5 to 8, 14 to 16, 19, 20, 23, 24, 27 to 29, 33 to 38, 45 and 46, and the invariants of the design.
#[test]
fn whatever_goes_wrong_programs_end_as_if_nothing_had() {
    all_right((0..SEEDS).map(|seed| 2 * seed));
}

#[test]
fn whatever_else_goes_wrong_programs_end_as_if_nothing_had() {
    all_right((0..SEEDS).map(|seed| 2 * seed + 1));
}

// Otherwise a seed that has failed would be of no use.
#[test]
fn one_seed_is_the_same_run_each_time() {
    for seed in [3, 8, 21] {
        let first = run(options(seed));
        assert!(first.commits > 0);
        assert_eq!(first, run(options(seed)));
        assert_ne!(first.digest, run(options(seed + 1)).digest);
    }
}

// Otherwise nothing would be shown by the others.
#[test]
fn things_go_wrong() {
    let outcomes: Vec<_> = (0..20).map(|seed| run(options(seed))).collect();
    let sum = |count: fn(&Outcome) -> u64| -> u64 { outcomes.iter().map(count).sum() };
    assert!(sum(|outcome| outcome.crashes) > 5);
    assert!(sum(|outcome| outcome.pauses) > 5);
    assert!(sum(|outcome| outcome.shutdowns) > 5);
    assert!(sum(|outcome| outcome.repeated_activities) > 5);
}

// Otherwise a seed that comes to no end would hang whoever runs it.
#[test]
fn who_goes_round_in_circles_is_stopped() {
    let mut cluster = Cluster::new(
        ClusterOptions {
            seed: 1,
            hosts: 1,
            partitions: 1,
            host: HostOptions::default(),
            faults: Faults::NONE,
            trace: false,
            limit: Duration::MAX,
            most_rounds: 500,
        },
        |_| (),
    )
    .unwrap();
    let time = cluster.time();
    cluster.spawn(async move {
        loop {
            time.sleep(Duration::from_millis(1)).await;
        }
    });
    let outcome = cluster.run();
    let [violation] = &outcome.violations[..] else {
        panic!("{outcome:?}");
    };
    assert!(violation.starts_with("after 500 rounds"), "{violation}");
}
