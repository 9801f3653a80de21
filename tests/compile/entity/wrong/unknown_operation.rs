//! An operation that the entity does not have.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }
}

#[orchestrator]
async fn count(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal::<Counter>("k").subtract(1);
    ctx.entity::<Counter>("k").balance().await?;
    Ok(())
}

fn main() {}
