//! An operation with the name of the function that gives the address.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn id(&self) -> i64 {
        self.value
    }
}

fn main() {}
