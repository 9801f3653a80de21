//! An activity with a type parameter.
use durable_runtime::prelude::*;

#[activity]
async fn echo<T: serde::Serialize>(value: T) -> Result<T> {
    Ok(value)
}

fn main() {}
