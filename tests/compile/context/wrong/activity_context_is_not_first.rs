//! A context after an input.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: String, _ctx: ActivityContext) -> Result<String> {
    Ok(city)
}

fn main() {}
