//! An interface with an operation that has the name of a method that all signals have.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    fn at(&mut self, time: String);

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal_as::<dyn Ledger>(EntityId::new("Counter", "k")).add(1);
    Ok(())
}

fn main() {}
