//! A `static` that changes, in the body.
use std::sync::atomic::AtomicU32;

use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<u32> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    Ok(COUNT.load(std::sync::atomic::Ordering::Relaxed))
}

fn main() {}
