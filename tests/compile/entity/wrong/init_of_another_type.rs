//! An init that makes something else.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity(init = Counter::first)]
impl Counter {
    fn first() -> Self {
        Self { value: 1 }
    }
}

fn main() {}
