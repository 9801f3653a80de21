//! An option that there is not.
use durable_runtime::prelude::*;

#[activity(title = "SayHello")]
async fn hello() -> Result<()> {
    Ok(())
}

fn main() {}
