//! An await in `format!`.
use durable_runtime::prelude::*;

async fn name_of(_user: u64) -> String {
    String::new()
}

#[orchestrator]
async fn greet(_ctx: OrchestrationContext, user: u64) -> Result<String> {
    Ok(format!("Hello {name}!", name = name_of(user).await))
}

fn main() {}
