use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
