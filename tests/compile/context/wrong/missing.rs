//! An orchestrator with an input and no context.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
