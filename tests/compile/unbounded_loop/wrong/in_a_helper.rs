//! A loop of a `#[deterministic]` function that awaits and never ends.
#![deny(deprecated)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[deterministic]
async fn forever(ctx: &OrchestrationContext) {
    loop {
        ctx.sleep(Duration::from_secs(3600)).await;
    }
}

fn main() {}
