//! What calls an operation that is wrong has no error of its own.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, first: i64, second: i64) {
        self.value += first + second;
    }

    fn rename(&mut self, _name: &str) -> &str {
        self.value = 0;
        "renamed"
    }
}

#[orchestrator]
async fn count(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal::<Counter>("k").add(1, 2);
    let _: String = ctx.entity::<Counter>("k").rename("a".to_owned()).await?;
    ctx.signal_entity(Counter::id("k"), "add", 1);
    Ok(())
}

fn main() {}
