//! An option without a value.
use durable_runtime::prelude::*;

#[activity(name)]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
