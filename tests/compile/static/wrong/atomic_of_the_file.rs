//! A `static` of the file that the body changes.
use std::sync::atomic::{AtomicU64, Ordering};

use durable_runtime::prelude::*;

static NEXT: AtomicU64 = AtomicU64::new(1);

#[orchestrator]
async fn number(_ctx: OrchestrationContext) -> Result<u64> {
    Ok(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn main() {}
