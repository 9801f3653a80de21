//! A function without a context.
use durable_runtime::prelude::*;

#[entity]
async fn counter() -> Result<()> {
    Ok(())
}

fn main() {}
