//! An interface with an operation that is generic.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    fn add_all<T>(&mut self, amount: T);

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal_as::<dyn Ledger>(EntityId::new("Counter", "k")).add(1);
    Ok(())
}

fn main() {}
