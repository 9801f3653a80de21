//! A mutex of the standard library.
use std::sync::Mutex;

use durable_runtime::prelude::*;

#[orchestrator]
async fn sum(_ctx: OrchestrationContext, numbers: Vec<u64>) -> Result<u64> {
    let sum = Mutex::new(0);
    for number in numbers {
        *sum.lock().unwrap() += number;
    }
    Ok(sum.into_inner()?)
}

fn main() {}
