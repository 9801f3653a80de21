//! A pointer to a local variable.
use durable_runtime::prelude::*;

#[deterministic]
fn key(order: u64) -> usize {
    (&raw const order).addr()
}

fn main() {}
