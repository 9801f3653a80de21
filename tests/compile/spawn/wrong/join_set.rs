//! A set of tasks of `tokio`.
use durable_runtime::prelude::*;
use tokio::task::JoinSet;

#[orchestrator]
async fn sums(_ctx: OrchestrationContext) -> Result<()> {
    let _tasks = JoinSet::<u64>::new();
    Ok(())
}

fn main() {}
