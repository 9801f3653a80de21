//! The `try_join!` of `futures`.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod futures {
    macro_rules! try_join {
        ($($task:expr),* $(,)?) => {
            std::io::Result::Ok(($($task.await?,)*))
        };
    }
    pub(crate) use try_join;
}

#[orchestrator]
async fn both(ctx: OrchestrationContext) -> Result<bool> {
    let (first, second) = futures::try_join!(
        ctx.wait_for_external_event::<bool>("first"),
        ctx.wait_for_external_event::<bool>("second"),
    )?;
    Ok(first && second)
}

fn main() {}
