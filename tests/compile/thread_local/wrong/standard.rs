//! A value of the thread.
use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<u32> {
    thread_local! {
        static COUNT: u32 = const { 0 };
    }
    Ok(COUNT.with(|count| *count))
}

fn main() {}
