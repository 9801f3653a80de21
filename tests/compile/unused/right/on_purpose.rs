//! Tasks that are dropped on purpose, or are awaited later.
#![deny(unused_must_use)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn notify(user: String) -> Result<()> {
    drop(user);
    Ok(())
}

#[orchestrator]
async fn remind(ctx: OrchestrationContext, user: String) -> Result<bool> {
    // Runs, although nobody waits for it.
    drop(ctx.call_activity::<notify>(user.as_str()).start());
    let _ = ctx.call_activity::<notify>(user).start();
    let timer = ctx.sleep(Duration::from_secs(60)).start();
    let approved = ctx
        .wait_for_external_event::<bool>("approval")
        .timeout(Duration::from_secs(30))
        .await?;
    timer.await;
    Ok(approved.is_some())
}

fn main() {}
