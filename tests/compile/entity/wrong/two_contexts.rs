//! Two contexts.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, _: EntityContext, amount: i64, _: EntityContext) {
        self.value += amount;
    }
}

fn main() {}
