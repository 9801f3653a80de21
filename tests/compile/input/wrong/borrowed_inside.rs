//! A reference within the type of an input.
use durable_runtime::prelude::*;

#[activity]
async fn hello(cities: Vec<&str>) -> Result<usize> {
    Ok(cities.len())
}

fn main() {}
