//! An entity that waits for another one.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn get(&self) -> i64 {
        self.value
    }

    async fn copy(&mut self, ctx: EntityContext) -> Result<()> {
        self.value = ctx.entity::<Counter>("other").get().await?;
        Ok(())
    }
}

fn main() {}
