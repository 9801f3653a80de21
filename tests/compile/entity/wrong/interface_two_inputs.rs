//! An interface with an operation that has two inputs.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    fn add_both(&mut self, first: i64, second: i64);

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal_as::<dyn Ledger>(EntityId::new("Counter", "k")).add(1);
    Ok(())
}

fn main() {}
