//! A command that is run.
use durable_runtime::prelude::*;

#[orchestrator]
async fn version(_ctx: OrchestrationContext) -> Result<Vec<u8>> {
    use std::process::Command;
    let output = Command::new("git").arg("--version").output()?;
    Ok(output.stdout)
}

fn main() {}
