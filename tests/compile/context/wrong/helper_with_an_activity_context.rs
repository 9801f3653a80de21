//! A `#[deterministic]` function is a part of an orchestrator.
use durable_runtime::prelude::*;

#[deterministic]
fn key(ctx: &ActivityContext) -> String {
    ctx.idempotency_key()
}

fn main() {}
