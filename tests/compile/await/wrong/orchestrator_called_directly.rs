//! Another orchestrator that is called as the function that it is.
use durable_runtime::prelude::*;

#[orchestrator]
async fn provision_device(ctx: OrchestrationContext, name: String) -> Result<String> {
    Ok(ctx.call_activity_by_name("register", name).await?)
}

#[orchestrator]
async fn provision(ctx: OrchestrationContext, names: Vec<String>) -> Result<()> {
    for name in names {
        provision_device(ctx.clone(), name).await?;
    }
    Ok(())
}

fn main() {}
