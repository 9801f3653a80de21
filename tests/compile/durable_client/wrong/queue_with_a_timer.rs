//! A `TimerInfo` for a message.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient, _timer: TimerInfo) -> Result<()> {
    Ok(())
}

fn main() {}
