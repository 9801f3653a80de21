//! The context of an orchestrator in an activity.
use durable_runtime::prelude::*;

#[activity]
async fn hello(_ctx: OrchestrationContext, city: String) -> Result<String> {
    Ok(city)
}

fn main() {}
