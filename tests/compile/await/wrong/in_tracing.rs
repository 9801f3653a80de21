//! An await in a field of an event of `tracing`.
use durable_runtime::prelude::*;

async fn depth_of(_queue: &str) -> usize {
    0
}

#[orchestrator]
async fn watch(_ctx: OrchestrationContext, queue: String) -> Result<()> {
    tracing::info!(target: "watch", %queue, depth = depth_of(&queue).await, "looked");
    Ok(())
}

fn main() {}
