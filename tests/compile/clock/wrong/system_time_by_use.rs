//! A clock that a `use` of the file brings in.
use std::time::SystemTime;

use durable_runtime::prelude::*;

#[orchestrator]
async fn stamp(_ctx: OrchestrationContext) -> Result<u64> {
    Ok(SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs())
}

fn main() {}
