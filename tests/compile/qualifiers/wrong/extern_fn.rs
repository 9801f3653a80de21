//! A function with an ABI of its own.
use durable_runtime::prelude::*;

#[activity]
extern "C" fn answer() -> Result<u64> {
    Ok(42)
}

fn main() {}
