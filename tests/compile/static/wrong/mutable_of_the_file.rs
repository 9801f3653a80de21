//! A `static mut` of the file that is used in the body.
#![allow(unsafe_code)]

use durable_runtime::prelude::*;

static mut COUNT: u32 = 0;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<u32> {
    unsafe {
        COUNT += 1;
    }
    Ok(1)
}

fn main() {}
