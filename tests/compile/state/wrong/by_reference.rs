//! A state by reference.
use durable_runtime::prelude::*;

#[activity]
async fn hello(_greeting: &State<String>, city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
