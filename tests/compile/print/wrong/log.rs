//! An event of `log`, which is not dropped during a replay.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod log {
    macro_rules! info {
        ($($argument:tt)*) => {
            drop(format!($($argument)*))
        };
    }
    pub(crate) use info;
}

#[orchestrator]
async fn hello(_ctx: OrchestrationContext, name: String) -> Result<()> {
    log::info!("hello {name}");
    Ok(())
}

fn main() {}
