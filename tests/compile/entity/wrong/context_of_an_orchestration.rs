//! The context of an orchestration in an operation.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    async fn add(&mut self, _: OrchestrationContext, amount: i64) {
        self.value += amount;
    }
}

fn main() {}
