//! A `while true`, in which only an inner loop is left.
#![deny(deprecated)]
#![expect(while_true, reason = "this is what people write")]

use std::time::Duration;

use durable_runtime::prelude::*;

#[orchestrator]
async fn periodic(ctx: OrchestrationContext) -> Result<()> {
    while true {
        for attempt in 1..=3 {
            if ctx.wait_for_external_event::<bool>("done").await? {
                break;
            }
            ctx.sleep(Duration::from_secs(attempt)).await;
        }
    }
    Ok(())
}

fn main() {}
