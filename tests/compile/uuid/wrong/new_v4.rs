//! A random UUID.
use durable_runtime::prelude::*;
use uuid::Uuid;

#[orchestrator]
async fn number(_ctx: OrchestrationContext) -> Result<Uuid> {
    Ok(Uuid::new_v4())
}

fn main() {}
