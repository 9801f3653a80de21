//! An output that is borrowed.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn value(&self) -> &i64 {
        &self.value
    }
}

fn main() {}
