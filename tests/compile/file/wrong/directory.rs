//! A directory that is listed, by a method of a path.
use std::path::PathBuf;

use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext, folder: PathBuf) -> Result<usize> {
    Ok(folder.read_dir()?.count())
}

fn main() {}
