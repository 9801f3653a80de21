//! A loop that awaits by `select!`.
#![deny(deprecated)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn collect(ctx: OrchestrationContext) -> Result<()> {
    let mut items = Vec::new();
    loop {
        select! {
            item = ctx.wait_for_external_event::<u32>("item") => items.push(item?),
            () = ctx.sleep(Duration::from_secs(60)) => items.clear(),
        }
    }
}

fn main() {}
