//! An orchestrator without a parameter.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
