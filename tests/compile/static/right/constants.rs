//! Constants, and statics that do not change.
use durable_runtime::prelude::*;

const CITIES: [&str; 3] = ["Tokyo", "Seattle", "London"];
static GREETING: &str = "Hello";
static RATES: &[(&str, u64)] = &[("EUR", 100), ("USD", 93)];

#[activity]
async fn say_hello(city: String) -> Result<String> {
    Ok(format!("Hello {city}!"))
}

#[orchestrator]
async fn hello(ctx: OrchestrationContext) -> Result<String> {
    const LIMIT: usize = CITIES.len() - 1;
    static SUFFIX: &str = "!";
    let size = const { LIMIT * 2 };
    let greetings = when_all(CITIES.map(|city| ctx.call_activity::<say_hello>(city))).await?;
    let tasks = CITIES
        .iter()
        .map(|&city| ctx.call_activity::<say_hello>(city));
    let again = when_all(tasks).await?;
    let rate = RATES
        .iter()
        .find(|(name, _)| *name == "EUR" && !ctx.is_replaying());
    Ok(format!(
        "{GREETING} {greetings:?} {again:?}{SUFFIX} {size} {rate:?} {}",
        u32::MAX
    ))
}

fn main() {}
