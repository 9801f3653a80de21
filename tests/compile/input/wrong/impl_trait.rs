//! An input of a type that the caller would choose.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: impl Into<String>) -> Result<String> {
    Ok(city.into())
}

fn main() {}
