//! An item of a stream.
use durable_runtime::prelude::*;
use futures_util::StreamExt;
use futures_util::stream;

#[orchestrator]
async fn first(_ctx: OrchestrationContext) -> Result<Option<u32>> {
    let mut numbers = stream::iter([1, 2, 3]);
    Ok(numbers.next().await)
}

fn main() {}
