//! An operation with the name of a method that all signals have.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn at(&mut self, time: String) {
        self.value = time.len() as i64;
    }
}

fn main() {}
