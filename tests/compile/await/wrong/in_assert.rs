//! An await in `assert!`.
use durable_runtime::prelude::*;

async fn is_open(_account: u64) -> bool {
    true
}

#[orchestrator]
async fn check(_ctx: OrchestrationContext, account: u64) -> Result<()> {
    assert!(is_open(account).await, "account {account} is closed");
    Ok(())
}

fn main() {}
