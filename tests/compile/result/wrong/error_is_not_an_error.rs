//! An error that does not implement `Error`.
use durable_runtime::prelude::*;

struct Declined;

#[activity]
async fn charge(amount: u64) -> Result<u64, Declined> {
    Ok(amount)
}

fn main() {}
