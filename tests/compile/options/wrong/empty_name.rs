//! A name that is empty.
use durable_runtime::prelude::*;

#[activity(name = "")]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
