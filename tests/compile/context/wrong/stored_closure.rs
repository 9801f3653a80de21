//! A context in a closure that is kept where others may call it.
use std::cell::RefCell;

use durable_runtime::prelude::*;

thread_local! {
    static CALLBACKS: RefCell<Vec<Box<dyn Fn() -> String>>> = const { RefCell::new(Vec::new()) };
}

#[orchestrator]
async fn remember(ctx: OrchestrationContext) -> Result<()> {
    CALLBACKS.with_borrow_mut(|callbacks| {
        callbacks.push(Box::new(move || ctx.instance_id().to_owned()));
    });
    Ok(())
}

fn main() {}
