//! A function with an input.
use durable_runtime::prelude::*;

#[entity]
async fn counter(_: EntityContext, amount: i64) -> Result<()> {
    drop(amount);
    Ok(())
}

fn main() {}
