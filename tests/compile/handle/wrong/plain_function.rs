//! A function without an attribute where an activity is expected.
use durable_runtime::prelude::*;

async fn plain(city: String) -> Result<String> {
    Ok(city)
}

fn call<A: durable_runtime::Activity>() {}

fn main() {
    call::<plain>();
}
