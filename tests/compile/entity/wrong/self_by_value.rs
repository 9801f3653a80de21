//! An operation that takes its state away.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(mut self, amount: i64) -> Self {
        self.value += amount;
        self
    }

    fn boxed(self: Box<Self>) {}
}

fn main() {}
