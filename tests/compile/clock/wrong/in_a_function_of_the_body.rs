//! A clock in a function that the body declares, and that is part of it.
use durable_runtime::prelude::*;

#[orchestrator]
async fn stamp(_ctx: OrchestrationContext) -> Result<u64> {
    use std::time::SystemTime;

    fn seconds() -> u64 {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    Ok(seconds())
}

fn main() {}
