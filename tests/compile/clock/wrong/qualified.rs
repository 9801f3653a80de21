//! A clock in the long form of a path.
use std::time::Instant;

use durable_runtime::prelude::*;

#[deterministic]
fn start() -> Instant {
    <Instant>::now()
}

fn main() {}
