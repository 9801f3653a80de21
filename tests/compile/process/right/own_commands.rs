//! A `Command` of the user's own, and modules with the names of the standard library.
use durable_runtime::prelude::*;

#[derive(Debug, Clone, PartialEq)]
enum Command {
    Start(String),
    Exit(u8),
}

impl Command {
    fn new(text: &str) -> Self {
        match text {
            "" => Self::Exit(0),
            text => Self::Start(text.to_owned()),
        }
    }
}

mod process {
    pub fn step(number: u32) -> u32 {
        number + 1
    }
}

fn exit(command: &Command) -> bool {
    matches!(command, Command::Exit(_))
}

fn abort(_reason: &str) {}

#[orchestrator]
async fn run(_ctx: OrchestrationContext, commands: Vec<String>) -> Result<u32> {
    let mut steps = 0;
    for command in commands.iter().map(|text| Command::new(text)) {
        if exit(&command) {
            abort("told to");
            break;
        }
        steps = process::step(steps);
    }
    Ok(steps)
}

fn main() {}
