//! An await in a chain of `if let` and `&&`.
use durable_runtime::prelude::*;

async fn owner_of(_account: u64) -> Option<String> {
    None
}

#[orchestrator]
async fn greet(_ctx: OrchestrationContext, account: Option<u64>) -> Result<String> {
    if let Some(account) = account
        && account > 0
        && let Some(owner) = owner_of(account).await
    {
        return Ok(owner);
    }
    Ok(String::new())
}

fn main() {}
