//! A worker of `tokio` that is blocked.
use durable_runtime::prelude::*;

#[deterministic]
fn sum(numbers: &[u64]) -> u64 {
    tokio::task::block_in_place(|| numbers.iter().sum())
}

fn main() {}
