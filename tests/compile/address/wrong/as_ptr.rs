//! The place of a counted value.
use std::rc::Rc;

use durable_runtime::prelude::*;

#[orchestrator]
async fn key(_ctx: OrchestrationContext) -> Result<bool> {
    let shared = Rc::new(1);
    Ok(Rc::as_ptr(&shared).is_null())
}

fn main() {}
