//! An await in what a loop breaks with.
use durable_runtime::prelude::*;

async fn next_number() -> u32 {
    7
}

#[orchestrator]
async fn number(ctx: OrchestrationContext) -> Result<u32> {
    let number = loop {
        if ctx.wait_for_external_event::<bool>("go").await? {
            break next_number().await;
        }
    };
    Ok(number)
}

fn main() {}
