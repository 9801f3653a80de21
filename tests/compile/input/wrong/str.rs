//! A `&str` as an input.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: &str) -> Result<String> {
    Ok(city.to_owned())
}

fn main() {}
