//! Tasks of `when_all` that are not durable.
use durable_runtime::prelude::*;

async fn size_of(file: String) -> Result<u64> {
    Ok(file.len() as u64)
}

#[orchestrator]
async fn total_size(_ctx: OrchestrationContext, files: Vec<String>) -> Result<u64> {
    let sizes = when_all(files.into_iter().map(size_of)).await?;
    Ok(sizes.into_iter().sum())
}

fn main() {}
