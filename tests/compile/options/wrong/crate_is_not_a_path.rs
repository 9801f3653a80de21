//! A number for the path of the crate.
use durable_runtime::prelude::*;

#[activity(crate = 1)]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
