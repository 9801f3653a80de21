//! An input that cannot be sent.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn since(&mut self, start: std::time::Instant) {
        self.value = start.elapsed().as_secs() as i64;
    }
}

fn main() {}
