//! A `static mut` in the body.
#![allow(unsafe_code)]

use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<u32> {
    static mut COUNT: u32 = 0;
    Ok(1)
}

fn main() {}
