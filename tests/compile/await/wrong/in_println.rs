//! An await in `println!`: the await and the line are two mistakes.
use durable_runtime::prelude::*;

async fn name_of(_user: u64) -> String {
    String::new()
}

#[orchestrator]
async fn greet(_ctx: OrchestrationContext, user: u64) -> Result<()> {
    println!("Hello {}!", name_of(user).await);
    Ok(())
}

fn main() {}
