//! Operations whose names differ by case only.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn reset(&mut self) {
        self.value = 0;
    }

    #[allow(non_snake_case)]
    fn Reset(&mut self) {}
}

fn main() {}
