//! A message by reference.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient, _order: &str) -> Result<()> {
    Ok(())
}

fn main() {}
