//! Mistakes beside errors of the compiler: each has one error.
use durable_runtime::prelude::*;

async fn notify(_text: &str) {}

#[orchestrator]
async fn mixed(ctx: OrchestrationContext) -> Result<u64> {
    let count: u32 = "three";
    notify("counted").await;
    ctx.sleep(5).await;
    let _id = uuid::Uuid::new_v4();
    Ok(u64::from(count))
}

fn main() {}
