//! The number of the process.
use std::process;

use durable_runtime::prelude::*;

#[deterministic]
fn worker_name() -> String {
    format!("worker-{}", process::id())
}

fn main() {}
