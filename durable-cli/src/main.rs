//! The `durable` command: starts, watches and steers durable orchestrations from a shell.

mod arguments;
mod commands;
mod exit;
mod filter;
mod hub;
mod output;
mod payload;
mod time;
mod timeline;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Cli;
use crate::exit::{CliError, Code};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(commands::run(cli));
            // What has missed its time limit is not waited for.
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(CliError::new(
            Code::Failed,
            format!("the system refuses what this needs: {error}"),
        )),
    };
    match done {
        // Whoever reads the output has seen enough.
        Ok(()) | Err(CliError::OutputClosed) => ExitCode::SUCCESS,
        Err(CliError::Told {
            code,
            message,
            hint,
        }) => {
            output::complain(&message, hint.as_deref());
            ExitCode::from(code as u8)
        }
    }
}
