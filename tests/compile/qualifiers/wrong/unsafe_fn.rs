//! An `unsafe fn`.
use durable_runtime::prelude::*;

#[activity]
async unsafe fn answer() -> Result<u64> {
    Ok(42)
}

fn main() {}
