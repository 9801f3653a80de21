//! A variable of the environment.
use std::env;

use durable_runtime::prelude::*;

#[orchestrator]
async fn region(_ctx: OrchestrationContext) -> Result<String> {
    Ok(env::var("REGION")?)
}

fn main() {}
