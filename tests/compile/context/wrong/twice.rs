//! Two contexts.
use durable_runtime::prelude::*;

#[activity]
async fn hello(_ctx: ActivityContext, _again: ActivityContext) -> Result<()> {
    Ok(())
}

fn main() {}
