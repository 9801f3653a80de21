//! Types that are no entities.
use durable_runtime::prelude::*;

struct Plain;

#[orchestrator]
async fn count(ctx: OrchestrationContext) -> Result<()> {
    ctx.signal::<Plain>("k");
    ctx.entity_as::<dyn std::fmt::Debug>(EntityId::new("Plain", "k"));
    Ok(())
}

fn main() {}
