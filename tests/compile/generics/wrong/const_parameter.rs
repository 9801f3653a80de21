//! An activity with a const parameter.
use durable_runtime::prelude::*;

#[activity]
async fn sum<const N: usize>() -> Result<usize> {
    Ok(N)
}

fn main() {}
