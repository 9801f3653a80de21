//! The `select!` of `tokio`, in full.
use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    tokio::select! {
        approved = ctx.wait_for_external_event::<bool>("approval") => Ok(approved?),
        () = ctx.sleep(Duration::from_secs(60)) => Ok(false),
    }
}

fn main() {}
