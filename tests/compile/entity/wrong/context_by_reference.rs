//! A context that is borrowed.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, _: &EntityContext, amount: i64) {
        self.value += amount;
    }
}

fn main() {}
