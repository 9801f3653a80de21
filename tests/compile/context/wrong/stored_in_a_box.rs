//! A context in a closure that is boxed and kept where others may call it.
use std::sync::Mutex;

use durable_runtime::prelude::*;

static CALLBACKS: Mutex<Vec<Box<dyn Fn() -> String + Send>>> = Mutex::new(Vec::new());

#[orchestrator]
async fn remember(ctx: OrchestrationContext) -> Result<()> {
    CALLBACKS
        .lock()
        .unwrap()
        .push(Box::new(move || ctx.instance_id().to_owned()));
    Ok(())
}

fn main() {}
