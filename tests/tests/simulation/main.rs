//! Generated programs on several hosts, with everything going wrong that can: see `tests::simulation`.

use tests::simulation::{Options, run};

/// Enough for each kind of fault to have hit at each point many times.
const SEEDS: u64 = 150;

fn options(seed: u64) -> Options {
    Options {
        seed,
        trace: false,
        without_faults: false,
    }
}

#[test]
fn whatever_goes_wrong_programs_end_as_if_nothing_had() {
    for seed in 0..SEEDS {
        let outcome = run(options(seed));
        assert!(
            outcome.violations.is_empty(),
            "seed {seed}: {:#?}\n`cargo run -p tests --bin simulate -- --seed {seed}` repeats it",
            outcome.violations
        );
    }
}
