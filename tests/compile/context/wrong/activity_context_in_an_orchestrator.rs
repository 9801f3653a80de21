//! The context of an activity in an orchestrator.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(_ctx: ActivityContext, city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
