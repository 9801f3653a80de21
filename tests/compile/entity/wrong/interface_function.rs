//! An interface with a function that takes no state.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    fn limit() -> i64;

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal_as::<dyn Ledger>(EntityId::new("Counter", "k")).add(1);
    Ok(())
}

fn main() {}
