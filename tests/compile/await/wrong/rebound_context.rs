// What is called like the context need not be it.
use durable_runtime::prelude::*;

struct Clock;

impl Clock {
    async fn sleep(&self, _seconds: u64) {}
}

#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<()> {
    ctx.sleep(std::time::Duration::from_secs(1)).await;
    let ctx = Clock;
    ctx.sleep(1).await;
    Ok(())
}

fn main() {}
