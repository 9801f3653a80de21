//! An orchestrator where an activity is expected.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn call<A: durable_runtime::Activity>() {}

fn main() {
    call::<hello>();
}
