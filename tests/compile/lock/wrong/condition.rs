//! A lock and a condition, each of which is reported.
use durable_runtime::prelude::*;

#[orchestrator]
async fn wait(_ctx: OrchestrationContext) -> Result<()> {
    use std::sync::{Condvar, RwLock};
    let _condition = Condvar::new();
    let _lock = RwLock::new(1);
    Ok(())
}

fn main() {}
