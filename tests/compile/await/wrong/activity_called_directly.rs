//! An activity that is called as the function that it is.
use durable_runtime::prelude::*;

#[activity]
async fn say_hello(city: String) -> Result<String> {
    Ok(format!("Hello {city}!"))
}

#[orchestrator]
async fn hello_cities(_ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(say_hello(city.to_owned()).await?);
    }
    Ok(greetings)
}

fn main() {}
