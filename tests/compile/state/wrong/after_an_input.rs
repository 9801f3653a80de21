//! A state after an input.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: String, State(_greeting): State<String>) -> Result<String> {
    Ok(city)
}

fn main() {}
