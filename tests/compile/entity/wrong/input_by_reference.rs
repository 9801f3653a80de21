//! An input that is borrowed.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn rename(&mut self, name: &str) {
        self.value = name.len() as i64;
    }
}

fn main() {}
