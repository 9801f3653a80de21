//! An await in the guard of an arm.
use durable_runtime::prelude::*;

async fn is_premium(_customer: u64) -> bool {
    true
}

#[orchestrator]
async fn discount(_ctx: OrchestrationContext, customer: u64) -> Result<u32> {
    Ok(match customer {
        0 => 0,
        customer if is_premium(customer).await => 10,
        _ => 5,
    })
}

fn main() {}
