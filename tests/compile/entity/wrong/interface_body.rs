//! An interface with a body.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    fn get(&self) -> i64 {
        1
    }

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal_as::<dyn Ledger>(EntityId::new("Counter", "k")).add(1);
    Ok(())
}

fn main() {}
