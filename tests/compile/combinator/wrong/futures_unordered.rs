//! A collection whose tasks come out as they end.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod futures {
    pub mod stream {
        pub struct FuturesUnordered<F>(Vec<F>);

        impl<F> FuturesUnordered<F> {
            pub fn new() -> Self {
                Self(Vec::new())
            }

            pub fn push(&mut self, future: F) {
                self.0.push(future);
            }
        }
    }
}

#[orchestrator]
async fn any(ctx: OrchestrationContext) -> Result<()> {
    use futures::stream::FuturesUnordered;
    let mut tasks = FuturesUnordered::new();
    tasks.push(ctx.wait_for_external_event::<bool>("first"));
    Ok(())
}

fn main() {}
