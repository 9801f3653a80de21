//! An operation with two inputs.
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
}

fn main() {}
