//! Measures how fast durable functions run, and what they cost in processor time, memory and bytes
//! written. Each workload is a line of output:
//!
//! ```text
//! cargo run --release -p benches -- [workload ...] [--storage <file>|memory] [--times <n>] [--growth] [--seconds <n>] [--json]
//! ```
//!
//! Every result is checked: a wrong one ends the program. See the README for what the workloads do.

mod arguments;
mod functions;
mod load;
mod measure;
mod report;
mod site;
mod sync_limit;
mod workloads;

use std::process::{Command, ExitCode};

use arguments::{Arguments, Request};
use durable_runtime::{Error, Result};
use site::Site;
use workloads::Workload;

// The system's allocator keeps for itself what lies between pieces that are in use: with it, `parked`
// would show the most that was ever needed.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let given: Vec<_> = std::env::args().skip(1).collect();
    if let [hold, file, count] = &given[..]
        && hold == workloads::HOLD
    {
        return exit(workloads::hold(file, count).await);
    }
    let arguments = match arguments::parse(given.into_iter()) {
        Ok(Request::Measure(arguments)) => arguments,
        Ok(Request::Help) => {
            println!("{}", arguments::usage());
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}\n\n{}", arguments::usage());
            return ExitCode::from(2);
        }
    };
    let measured = match arguments.workloads[..] {
        [workload] if !arguments.growth => measure(workload, &arguments).await,
        _ => measure_each(&arguments),
    };
    exit(measured)
}

fn exit(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one workload in this process.
async fn measure(workload: Workload, arguments: &Arguments) -> Result<()> {
    let site = Site::new(&arguments.storage, arguments.times)?;
    let report = workload.run(&site, arguments.overload).await?;
    let report = report.times(arguments.times);
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        println!("{report}");
    }
    Ok(())
}

/// Runs each workload in a process of its own, so that none finds the memory of another.
fn measure_each(arguments: &Arguments) -> Result<()> {
    let program = std::env::current_exe()?;
    let growth: &[u32] = if arguments.growth {
        &[1, 2, 4, 8]
    } else {
        &[1]
    };
    for workload in &arguments.workloads {
        for times in growth {
            let times = times * arguments.times;
            let status = Command::new(&program)
                .args(arguments.for_one(*workload, times))
                .status()?;
            if !status.success() {
                return Err(Error::msg(format!("workload {workload} failed: {status}")));
            }
        }
    }
    Ok(())
}
