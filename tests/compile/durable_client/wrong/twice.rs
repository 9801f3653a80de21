//! A function that is twice a client function, or something else too.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient, _order: String) {}

#[durable_client(queue("others"))]
#[activity]
async fn on_other(_client: DurableClient, _order: String) -> Result<()> {
    Ok(())
}

fn main() {}
