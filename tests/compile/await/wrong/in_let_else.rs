//! An await in a `let` with `else`.
use durable_runtime::prelude::*;

async fn owner_of(_account: u64) -> Option<String> {
    None
}

#[orchestrator]
async fn greet(_ctx: OrchestrationContext, account: u64) -> Result<String> {
    let Some(owner) = owner_of(account).await else {
        return Err(Error::msg("nobody"));
    };
    Ok(owner)
}

fn main() {}
