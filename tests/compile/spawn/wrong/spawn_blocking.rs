//! A blocking task of `tokio`, by a `use` in the body, with calls in it that would be wrong here.
use durable_runtime::prelude::*;

#[orchestrator]
async fn read(_ctx: OrchestrationContext, path: String) -> Result<()> {
    use tokio::task::spawn_blocking;
    let text = spawn_blocking(move || std::fs::read_to_string(path));
    drop(text);
    Ok(())
}

fn main() {}
