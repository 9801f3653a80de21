//! A branch of `select!` that is no durable task.
use std::time::Duration;

use durable_runtime::prelude::*;

async fn cancelled() {}

#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<bool> {
    Ok(select! {
        () = ctx.sleep(Duration::from_secs(60)) => true,
        () = cancelled() => false,
    })
}

fn main() {}
