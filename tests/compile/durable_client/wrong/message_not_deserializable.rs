//! A message that cannot be read.
use durable_runtime::prelude::*;

struct Order;

#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient, _order: Order) -> Result<()> {
    Ok(())
}

fn main() {}
