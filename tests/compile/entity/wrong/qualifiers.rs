//! Operations that cannot be called by name.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    const fn first(&self) {}

    unsafe fn second(&self) {}

    extern "C" fn third(&self) {}
}

fn main() {}
