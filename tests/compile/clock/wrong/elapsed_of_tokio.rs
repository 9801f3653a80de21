//! The time since a moment of `tokio`, as a helper is given it.
use durable_runtime::prelude::*;
use tokio::time::Instant;

#[deterministic]
fn is_late(start: Instant) -> bool {
    start.elapsed().as_secs() > 60
}

fn main() {}
