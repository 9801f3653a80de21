//! The `select!` of `futures`, by a `use` in the body.
use durable_runtime::prelude::*;

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    use futures_util::future::select;
    let approval = ctx.wait_for_external_event::<bool>("approval");
    let timer = ctx.sleep(std::time::Duration::from_secs(60));
    drop(select(approval, timer).await);
    Ok(true)
}

fn main() {}
