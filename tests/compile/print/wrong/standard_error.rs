//! What is written to the standard error.
use std::io::{self, Write};

use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(_ctx: OrchestrationContext) -> Result<()> {
    writeln!(io::stderr(), "hello")?;
    Ok(())
}

fn main() {}
