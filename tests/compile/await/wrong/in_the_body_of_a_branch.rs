//! An await in the body of a branch of `select!`.
use std::time::Duration;

use durable_runtime::prelude::*;

async fn notify_everyone() {}

#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<()> {
    select! {
        approved = ctx.wait_for_external_event::<bool>("approval") => drop(approved?),
        () = ctx.sleep(Duration::from_secs(60)) => notify_everyone().await,
    }
    Ok(())
}

fn main() {}
