//! An option of another attribute.
use durable_runtime::prelude::*;

#[activity(version = "2.0")]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
