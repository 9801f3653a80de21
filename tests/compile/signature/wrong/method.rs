//! An orchestrator that is a method.
use durable_runtime::prelude::*;

struct Shop;

impl Shop {
    #[orchestrator]
    async fn sell(&self, _ctx: OrchestrationContext) -> Result<()> {
        Ok(())
    }
}

fn main() {}
