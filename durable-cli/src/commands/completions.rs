//! Completions for shells.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::exit::CliError;

/// Print what makes a shell complete this command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable completions bash > /etc/bash_completion.d/durable
  durable completions zsh > ~/.zfunc/_durable
  durable completions fish > ~/.config/fish/completions/durable.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<(), CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "durable", &mut script);
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&script)?;
        Ok(stdout.flush()?)
    }
}
