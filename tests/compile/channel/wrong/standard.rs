//! A channel of the standard library.
use std::sync::mpsc;

use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<usize> {
    let (sender, receiver) = mpsc::channel();
    sender.send(1)?;
    Ok(receiver.iter().count())
}

fn main() {}
