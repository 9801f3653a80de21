//! An output whose type has no name.
use durable_runtime::prelude::*;

#[activity]
async fn hello() -> Result<impl Iterator<Item = u64>> {
    Ok(std::iter::once(42))
}

fn main() {}
