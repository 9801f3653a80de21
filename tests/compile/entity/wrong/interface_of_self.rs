//! An interface that names the type of the entity.
use durable_runtime::prelude::*;

#[entity]
trait Ledger {
    fn copy(&self) -> Option<Self>;

    fn add(&mut self, amount: i64);
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal_as::<dyn Ledger>(EntityId::new("Counter", "k")).add(1);
    Ok(())
}

fn main() {}
