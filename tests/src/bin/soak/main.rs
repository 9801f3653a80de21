//! A mixed load for a long time, on one file: two processes that are killed at random, over and over, and a
//! third one that lives on, and whose memory must not grow.
//!
//! ```text
//! cargo run --release -p tests --bin soak -- [--minutes 30] [--seed 1] [--worker program]
//! ```
//!
//! The load is that of the program `crash_worker`, which is built if no other one is named. It compares the output of every instance with what it
//! is when nobody disturbs it, and purges it. Every ten seconds it prints a line of figures, and at the end
//! what came of it. It fails when an output is wrong, a process ends by itself, an entity has counted
//! wrong, the file is damaged, or memory, open files or the file of the hub have grown.

mod figures;
#[path = "../../../tests/crash/random.rs"]
mod random;
mod site;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use durable_runtime::{Error, Result};
use figures::Figures;
use random::Random;
use site::Site;

/// How often figures are taken.
const INTERVAL: Duration = Duration::from_secs(10);
/// The processes that are killed.
const KILLED: [&str; 2] = ["a", "b"];
/// The one that is not.
const STEADY: &str = "steady";
/// After how many batches a process stops its host and starts another.
const OF_A_HOST: u32 = 25;

const USAGE: &str = "usage: soak [--minutes MINUTES] [--seed NUMBER] [--worker PROGRAM]";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match soak(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug)]
struct Arguments {
    minutes: u64,
    seed: Option<u64>,
    /// The program `crash_worker`, if it is not to be built.
    worker: Option<PathBuf>,
}

impl Arguments {
    /// `None` if help is asked for.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut parsed = Self {
            minutes: 30,
            seed: None,
            worker: None,
        };
        while let Some(name) = arguments.next() {
            if matches!(name.as_str(), "--help" | "-h") {
                return Ok(None);
            }
            let value = arguments.next().unwrap_or_default();
            if name == "--worker" {
                parsed.worker = Some(value.into());
                continue;
            }
            let Ok(value) = value.parse() else {
                return Err(Error::msg(format!("{name} wants a number, not {value:?}")));
            };
            match name.as_str() {
                "--minutes" => parsed.minutes = value,
                "--seed" => parsed.seed = Some(value),
                _ => return Err(Error::msg(format!("there is no option {name}"))),
            }
        }
        Ok(Some(parsed))
    }
}

async fn soak(arguments: &Arguments) -> Result<()> {
    let mut random = Random::new(arguments.seed);
    println!("seed {}, {} minutes", random.seed(), arguments.minutes);
    let site = Site::new(arguments.worker.clone())?;
    site.note_expected_outputs().await?;
    let mut steady = site.spawn(STEADY, OF_A_HOST)?;
    let mut killed = Vec::new();
    for name in KILLED {
        killed.push(site.spawn(name, OF_A_HOST)?);
    }
    let began = Instant::now();
    let end = Duration::from_secs(60 * arguments.minutes);
    let mut figures = Vec::new();
    let mut kills = 0_u32;
    println!("{}", Figures::HEADER);
    while began.elapsed() < end {
        let taken = u32::try_from(figures.len())?;
        let next_figures = INTERVAL * (taken + 1);
        let pause = Duration::from_millis(random.between(100, 4000));
        std::thread::sleep(pause.min(next_figures.saturating_sub(began.elapsed())));
        steady.check_alive(&site)?;
        if began.elapsed() >= next_figures {
            let now = Figures::take(&site, &steady, began.elapsed(), kills)?;
            println!("{now}");
            figures.push(now);
            continue;
        }
        let chosen = usize::try_from(random.between(0, 1))?;
        killed[chosen].kill(&site)?;
        killed[chosen] = site.spawn(KILLED[chosen], OF_A_HOST)?;
        kills += 1;
    }
    site.tell_to_stop()?;
    for worker in killed.into_iter().chain([steady]) {
        worker.wait(&site)?;
    }
    verdict::check(&site, &figures, kills).await
}
