//! An option that is given twice.
use durable_runtime::prelude::*;

#[activity(name = "SayHello", name = "Hello")]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
