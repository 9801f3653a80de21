//! A function with the context of an activity.
use durable_runtime::prelude::*;

#[entity]
async fn counter(_: ActivityContext) -> Result<()> {
    Ok(())
}

fn main() {}
