//! A `const fn`.
use durable_runtime::prelude::*;

#[activity]
const fn answer() -> Result<u64> {
    Ok(42)
}

fn main() {}
