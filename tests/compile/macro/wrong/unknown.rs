//! An await in a macro that has a syntax of its own.
use durable_runtime::prelude::*;

macro_rules! attempt {
    ($task:expr; else -> $other:expr; then $($rest:tt)*) => {
        match $task {
            Ok(value) => value,
            Err(_) => $other,
        }
    };
}

#[orchestrator]
async fn approval(ctx: OrchestrationContext) -> Result<bool> {
    Ok(
        attempt!(ctx.wait_for_external_event::<bool>("approval").await; else -> false; then end of story),
    )
}

fn main() {}
