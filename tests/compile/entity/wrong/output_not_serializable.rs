//! An output that cannot be sent.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn get(&self) -> std::time::Instant {
        std::time::Instant::now()
    }

    fn checked(&self) -> Result<std::time::Instant> {
        Ok(std::time::Instant::now())
    }
}

fn main() {}
