//! An operation that is called with something else.
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
    ctx.signal::<Counter>("k").add("one");
    ctx.entity::<Counter>("k").add(1.5).await?;
    Ok(())
}

fn main() {}
