//! An await in a macro that the body declares.
use durable_runtime::prelude::*;

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    macro_rules! approved_by {
        ($name:literal) => {
            ctx.wait_for_external_event::<bool>($name).await?
        };
    }
    Ok(approved_by!("boss") && approved_by!("accounting"))
}

fn main() {}
