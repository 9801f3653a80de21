//! A function that would be an activity and an orchestrator.
use durable_runtime::prelude::*;

#[activity]
#[orchestrator]
async fn say_hello(city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
