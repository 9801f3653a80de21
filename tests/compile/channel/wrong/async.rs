//! An async channel: where it is made, and where it is awaited.
use durable_runtime::prelude::*;
use tokio::sync::oneshot;

#[orchestrator]
async fn answer(_ctx: OrchestrationContext) -> Result<u32> {
    let (sender, answer) = oneshot::channel();
    drop(sender.send(42));
    Ok(answer.await?)
}

fn main() {}
