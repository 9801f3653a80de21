//! Runs simulations for as long as wanted, or one seed with a trace of what happens:
//!
//! ```text
//! cargo run -p tests --bin simulate                    # 200 seeds
//! cargo run -p tests --bin simulate -- --for 30        # for 30 minutes
//! cargo run -p tests --bin simulate -- --seed 1234     # one, with its trace
//! ```

mod arguments;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use arguments::{Arguments, Many};
use durable_runtime::simulation::Outcome;
use tests::simulation::{Options, run, run_watched};

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(Arguments::Help) => {
            println!("{}", arguments::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Arguments::One(options)) => {
            let outcome = run(options);
            println!("{outcome:#?}");
            code(outcome.violations.is_empty())
        }
        Ok(Arguments::Many(many)) => code(run_many(&many)),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn code(is_right: bool) -> ExitCode {
    if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What all threads have done.
#[derive(Debug, Default)]
struct Total {
    seeds: u64,
    failed: u64,
    /// Of the seed with the most.
    most_rounds: u64,
    commits: u64,
    crashes: u64,
    pauses: u64,
    shutdowns: u64,
    repeated_activities: u64,
    simulated: Duration,
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.failed += u64::from(!outcome.violations.is_empty());
        self.most_rounds = self.most_rounds.max(outcome.rounds);
        self.commits += outcome.commits;
        self.crashes += outcome.crashes;
        self.pauses += outcome.pauses;
        self.shutdowns += outcome.shutdowns;
        self.repeated_activities += outcome.repeated_activities;
        self.simulated += outcome.elapsed;
    }
}

/// Returns whether all was as it should be.
fn run_many(many: &Many) -> bool {
    let began = Instant::now();
    let next = AtomicU64::new(many.from);
    let stopped = AtomicBool::new(false);
    let total = Mutex::new(Total::default());
    let is_over = |seed: u64| {
        let is_late = many.limit.is_some_and(|limit| began.elapsed() >= limit);
        let is_last = many.count.is_some_and(|count| seed - many.from >= count);
        is_late || is_last || stopped.load(Ordering::Relaxed)
    };
    std::thread::scope(|scope| {
        for _ in 0..many.jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if is_over(seed) {
                        return;
                    }
                    let outcome = run_watched(Options {
                        seed,
                        trace: false,
                        without_faults: many.without_faults,
                    });
                    if !outcome.violations.is_empty() {
                        println!("seed {seed} fails: {:#?}", outcome.violations);
                        stopped.fetch_or(!many.keep_going, Ordering::Relaxed);
                    }
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    total.add(&outcome);
                }
            });
        }
    });
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{total:#?}");
    let (ran, seconds) = (total.seeds, began.elapsed().as_secs_f64());
    println!("{ran} seeds in {seconds:.1} s");
    total.failed == 0
}
