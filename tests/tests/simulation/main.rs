//! Generated programs on several hosts, with everything going wrong that can: see `tests::simulation`.

use tests::simulation::{Options, run};

/// So many by each of two tests, which run beside one another. Most mistakes are found by a few dozen; for more,
/// there is `cargo run -p tests --bin simulate`.
const SEEDS: u64 = 200;

fn options(seed: u64) -> Options {
    Options {
        seed,
        trace: false,
        without_faults: false,
    }
}

fn all_right(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let outcome = run(options(seed));
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
    let sum = |count: fn(&durable_runtime::simulation::Outcome) -> u64| -> u64 {
        outcomes.iter().map(count).sum()
    };
    assert!(sum(|outcome| outcome.crashes) > 5);
    assert!(sum(|outcome| outcome.pauses) > 5);
    assert!(sum(|outcome| outcome.shutdowns) > 5);
    assert!(sum(|outcome| outcome.repeated_activities) > 5);
}
