//! Runs simulations for as long as wanted, or one seed with a trace of what happens.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use tests::simulation::{Options, run};

const USAGE: &str = "usage: simulate [--seed N [--quiet] | [--from N] [--seeds COUNT] [--for MINUTES]] [--without-faults]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut seed, mut from, mut count, mut minutes) = (None, 0, None, None);
    let (mut trace, mut without_faults) = (true, false);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            arguments
                .next()
                .and_then(|number| number.parse::<u64>().ok())
        };
        match argument.as_str() {
            "--quiet" => {
                trace = false;
                continue;
            }
            "--without-faults" => {
                without_faults = true;
                continue;
            }
            _ => {}
        }
        let value = number();
        match argument.as_str() {
            "--seed" if value.is_some() => seed = value,
            "--from" if value.is_some() => from = value.unwrap_or_default(),
            "--seeds" if value.is_some() => count = value,
            "--for" if value.is_some() => minutes = value,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    if let Some(seed) = seed {
        let outcome = run(Options {
            seed,
            trace,
            without_faults,
        });
        println!("{outcome:#?}");
        return if outcome.violations.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let began = Instant::now();
    let mut ran = 0;
    let mut failed = 0;
    let (mut commits, mut crashes, mut pauses, mut repeated) = (0, 0, 0, 0);
    for seed in from.. {
        let over = minutes.is_some_and(|m| began.elapsed() >= Duration::from_secs(60 * m));
        if over
            || count
                .or(minutes.is_none().then_some(200))
                .is_some_and(|count| ran >= count)
        {
            break;
        }
        let outcome = run(Options {
            seed,
            trace: false,
            without_faults,
        });
        ran += 1;
        commits += outcome.commits;
        crashes += outcome.crashes;
        pauses += outcome.pauses;
        repeated += outcome.repeated_activities;
        if !outcome.violations.is_empty() {
            println!("seed {seed} fails: {:#?}", outcome.violations);
            failed += 1;
        }
    }
    println!(
        "{ran} seeds, {failed} failed, {commits} commits, {crashes} crashes, {pauses} pauses, {repeated} activities repeated, in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
