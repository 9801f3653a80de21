//! A durable task that is waited for without `.await`.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod futures {
    pub mod executor {
        pub fn block_on<F: Future>(_future: F) -> F::Output {
            unreachable!()
        }
    }
}

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    use futures::executor::block_on;
    Ok(block_on(ctx.wait_for_external_event::<bool>("approval"))?)
}

fn main() {}
