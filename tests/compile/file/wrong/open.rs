//! A file that is opened.
use std::fs::File;

use durable_runtime::prelude::*;

#[orchestrator]
async fn create(_ctx: OrchestrationContext) -> Result<()> {
    File::create("report.txt")?;
    Ok(())
}

fn main() {}
