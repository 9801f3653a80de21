//! A slice as an input.
use durable_runtime::prelude::*;

#[activity]
async fn sum(numbers: &[u64]) -> Result<u64> {
    Ok(numbers.iter().sum())
}

fn main() {}
