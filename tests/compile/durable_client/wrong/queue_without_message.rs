//! A function that does not take the message.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient) -> Result<()> {
    Ok(())
}

fn main() {}
