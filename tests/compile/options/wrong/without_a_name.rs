//! A value without the name of its option.
use durable_runtime::prelude::*;

#[activity("SayHello")]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
