//! What is asked for on the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::site::StorageChoice;
use crate::workloads::Workload;

/// More than this no workload can count.
const MOST_TIMES: u32 = 100;

/// What the program is to do.
#[derive(Debug)]
pub(crate) enum Request {
    Measure(Arguments),
    Help,
}

/// What is to be measured, and how.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// At least one.
    pub(crate) workloads: Vec<Workload>,
    pub(crate) storage: StorageChoice,
    /// How long an overload lasts.
    pub(crate) overload: Duration,
    /// Whether to print JSON, an object a line, instead of text.
    pub(crate) json: bool,
    /// How many times the usual load.
    pub(crate) times: u32,
    /// Whether to run each with once, twice, four and eight times the usual load.
    pub(crate) growth: bool,
}

impl Arguments {
    /// The arguments of a process that runs one of the workloads, with so many times the load.
    pub(crate) fn for_one(&self, workload: Workload, times: u32) -> Vec<OsString> {
        let times = times.to_string();
        let mut arguments = vec![workload.name().into(), "--times".into(), times.into()];
        match &self.storage {
            StorageChoice::Temporary => {}
            StorageChoice::Memory => arguments.extend(["--storage".into(), "memory".into()]),
            StorageChoice::File(path) => arguments.extend(["--storage".into(), path.into()]),
        }
        let seconds = self.overload.as_secs().to_string();
        arguments.extend(["--seconds".into(), seconds.into()]);
        if self.json {
            arguments.push("--json".into());
        }
        arguments
    }
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(given: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut arguments = Arguments {
        workloads: Vec::new(),
        storage: StorageChoice::Temporary,
        overload: Duration::from_secs(20),
        json: false,
        times: 1,
        growth: false,
    };
    let mut given = given;
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Request::Help),
            "--json" => arguments.json = true,
            "--growth" => arguments.growth = true,
            "--times" => {
                let times = given.next().and_then(|times| times.parse().ok());
                arguments.times = times
                    .filter(|times| (1..=MOST_TIMES).contains(times))
                    .ok_or_else(|| format!("--times needs a number from 1 to {MOST_TIMES}"))?;
            }
            "--storage" => {
                let storage = given.next().ok_or("--storage needs a file, or `memory`")?;
                arguments.storage = match storage.as_str() {
                    "memory" => StorageChoice::Memory,
                    path => StorageChoice::File(PathBuf::from(path)),
                };
            }
            "--seconds" => {
                let seconds = given.next().and_then(|text| text.parse().ok());
                let seconds = seconds.filter(|seconds| *seconds > 0);
                let seconds = seconds.ok_or("--seconds needs a whole number of at least 1")?;
                arguments.overload = Duration::from_secs(seconds);
            }
            option if option.starts_with('-') => {
                return Err(format!("there is no option {option}"));
            }
            name => {
                let workload = Workload::named(name);
                let workload = workload.ok_or_else(|| format!("there is no workload {name:?}"))?;
                arguments.workloads.push(workload);
            }
        }
    }
    if arguments.workloads.is_empty() {
        arguments.workloads.extend(Workload::ALL);
    }
    Ok(Request::Measure(arguments))
}

/// How the program is called.
pub(crate) fn usage() -> String {
    let mut usage = String::from(
        "benches [workload ...] [--storage <file>|memory] [--times <n>] [--growth] [--seconds <n>] [--json]\n\n\
         Without a workload all are run, each in a process of its own. Without --storage each has a \
         new SQLite file\nin the current directory, removed at the end. --times multiplies the load; \
         --growth runs once, twice, four\nand eight times the load. An overload lasts for --seconds, \
         or 20.\n\nworkloads:",
    );
    for workload in Workload::ALL {
        let line = format!("\n  {:<20}{}", workload.name(), workload.about());
        usage.push_str(&line);
    }
    usage
}
