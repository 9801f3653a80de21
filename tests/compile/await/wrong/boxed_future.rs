//! A future in a box, of which nothing is known.
use std::pin::Pin;

use durable_runtime::prelude::*;

fn size_of(file: String) -> Pin<Box<dyn Future<Output = u64>>> {
    Box::pin(async move { file.len() as u64 })
}

#[orchestrator]
async fn size(_ctx: OrchestrationContext, file: String) -> Result<u64> {
    Ok(size_of(file).await)
}

fn main() {}
