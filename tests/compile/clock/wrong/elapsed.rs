//! The time since a moment that the orchestrator was given.
use std::time::{Duration, SystemTime};

use durable_runtime::prelude::*;

#[orchestrator]
async fn is_late(_ctx: OrchestrationContext, ordered: SystemTime) -> Result<bool> {
    Ok(ordered.elapsed()? > Duration::from_secs(3600))
}

fn main() {}
