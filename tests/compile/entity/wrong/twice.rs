//! An item that is twice an entity, or something else too.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
#[entity]
impl Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }
}

#[entity]
#[activity]
trait Ledger {
    fn add(&mut self, amount: i64);
}

#[entity]
#[orchestrator]
async fn counter(ctx: EntityContext) -> Result<()> {
    ctx.delete_state();
    Ok(())
}

fn main() {}
