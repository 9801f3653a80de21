//! An attribute that is given twice.
use durable_runtime::prelude::*;

#[orchestrator]
#[orchestrator(name = "SayHello")]
async fn say_hello(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

fn main() {}
