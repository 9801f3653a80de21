//! A `#[deterministic]` function that awaits whatever future it is given.
use durable_runtime::prelude::*;

#[deterministic]
async fn twice<T>(make: impl Fn() -> T) -> T::Output
where
    T: Future,
{
    make().await;
    make().await
}

#[orchestrator]
async fn number(_ctx: OrchestrationContext) -> Result<u32> {
    Ok(1)
}

fn main() {}
