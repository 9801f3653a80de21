//! An activity that takes its context by reference.
use durable_runtime::prelude::*;

#[activity]
async fn hello(_ctx: &ActivityContext, city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
