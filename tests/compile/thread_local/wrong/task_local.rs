//! A value of the task of `tokio`.
use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<u32> {
    tokio::task_local! {
        static COUNT: u32;
    }
    Ok(COUNT.get())
}

fn main() {}
