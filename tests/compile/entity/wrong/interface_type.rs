//! An interface with a type.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    type Amount;

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(_: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
