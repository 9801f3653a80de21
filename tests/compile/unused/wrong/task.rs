//! Durable tasks that are built and dropped.
#![deny(unused_must_use)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn say_hello(city: String) -> Result<String> {
    Ok(format!("Hello {city}!"))
}

#[orchestrator]
async fn hello(ctx: OrchestrationContext) -> Result<()> {
    ctx.call_activity::<say_hello>("Tokyo");
    ctx.sleep(Duration::from_secs(1));
    ctx.wait_for_external_event::<bool>("approval");
    Ok(())
}

fn main() {}
