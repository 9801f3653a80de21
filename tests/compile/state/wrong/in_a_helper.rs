//! A `#[deterministic]` function has no state of the host either.
use durable_runtime::prelude::*;

#[deterministic]
fn price(State(prices): State<Vec<u64>>, article: usize) -> u64 {
    prices[article]
}

fn main() {}
