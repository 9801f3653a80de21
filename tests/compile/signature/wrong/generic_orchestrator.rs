//! An orchestrator with a type parameter.
use durable_runtime::prelude::*;

#[orchestrator]
async fn store<T: serde::Serialize>(_ctx: OrchestrationContext, value: T) -> Result<()> {
    drop(value);
    Ok(())
}

fn main() {}
