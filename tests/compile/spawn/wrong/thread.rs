//! A thread.
use std::thread;

use durable_runtime::prelude::*;

#[orchestrator]
async fn sum(_ctx: OrchestrationContext, numbers: Vec<u64>) -> Result<u64> {
    let sum = thread::spawn(move || numbers.iter().sum());
    sum.join().map_err(|_| Error::msg("it panicked"))
}

fn main() {}
