//! A line that is printed.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(_ctx: OrchestrationContext, name: String) -> Result<()> {
    println!("Hello {name}!");
    Ok(())
}

fn main() {}
