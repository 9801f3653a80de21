//! A host that is started in an orchestrator.
use durable_runtime::prelude::*;

#[orchestrator]
async fn nested(_ctx: OrchestrationContext) -> Result<()> {
    let builder = DurableHost::builder();
    drop(builder);
    Ok(())
}

fn main() {}
