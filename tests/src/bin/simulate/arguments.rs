//! What is asked for on the command line.

use std::time::Duration;

use tests::simulation::Options;

pub(crate) const USAGE: &str = "\
usage: simulate --seed N [--quiet] [--without-faults]
       simulate [--from N] [--seeds COUNT] [--for MINUTES] [--jobs N] [--keep-going] [--without-faults]";

/// How many seeds are run where it is not said.
const SEEDS: u64 = 200;

/// What is to be run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    Help,
    One(Options),
    Many(Many),
}

/// Seeds one after the other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Many {
    /// The first.
    pub(crate) from: u64,
    pub(crate) count: Option<u64>,
    pub(crate) limit: Option<Duration>,
    /// How many are run at a time.
    pub(crate) jobs: u64,
    /// Whether a failure is not the end.
    pub(crate) keep_going: bool,
    pub(crate) without_faults: bool,
}

impl Arguments {
    pub(crate) fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut seed, mut quiet) = (None, false);
        let mut many = Many {
            from: 0,
            count: None,
            limit: None,
            jobs: 1,
            keep_going: false,
            without_faults: false,
        };
        while let Some(name) = given.next() {
            let mut number = || {
                let value = given.next().and_then(|value| value.parse::<u64>().ok());
                value.ok_or_else(|| format!("{name} needs a number\n{USAGE}"))
            };
            match name.as_str() {
                "--seed" => seed = Some(number()?),
                "--from" => many.from = number()?,
                "--seeds" => many.count = Some(number()?),
                "--for" => many.limit = Some(Duration::from_secs(60 * number()?)),
                "--jobs" => many.jobs = number()?.max(1),
                "--keep-going" => many.keep_going = true,
                "--without-faults" => many.without_faults = true,
                "--quiet" => quiet = true,
                "--help" | "-h" => return Ok(Self::Help),
                _ => return Err(format!("{name:?} is not known\n{USAGE}")),
            }
        }
        if let Some(seed) = seed {
            return Ok(Self::One(Options {
                seed,
                trace: !quiet,
                without_faults: many.without_faults,
            }));
        }
        if many.count.is_none() && many.limit.is_none() {
            many.count = Some(SEEDS);
        }
        Ok(Self::Many(many))
    }
}
