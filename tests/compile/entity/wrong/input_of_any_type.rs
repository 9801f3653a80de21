//! An input whose type is not known.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: impl Into<i64>) {
        self.value += amount.into();
    }
}

fn main() {}
