//! A body that does not parse: the error is that of the compiler.
use durable_runtime::prelude::*;

#[activity]
async fn say_hello(city: String) -> Result<String> {
    let greeting = ;
    Ok(city)
}

fn main() {}
