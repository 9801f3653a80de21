//! A context in a closure that is boxed and kept in what others reach.
use std::cell::RefCell;

use durable_runtime::prelude::*;

struct Callbacks(RefCell<Vec<Box<dyn Fn() -> String>>>);

struct Shared(Callbacks);

#[allow(unsafe_code)]
unsafe impl Sync for Shared {}

static CALLBACKS: Shared = Shared(Callbacks(RefCell::new(Vec::new())));

#[orchestrator]
async fn remember(ctx: OrchestrationContext) -> Result<()> {
    CALLBACKS
        .0
        .0
        .borrow_mut()
        .push(Box::new(move || ctx.instance_id().to_owned()));
    Ok(())
}

fn main() {}
