//! An interface with a constant.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    const LIMIT: i64;

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(_: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
