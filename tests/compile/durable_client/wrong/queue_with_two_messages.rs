//! Two messages.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient, _order: String, _more: u32) -> Result<()> {
    Ok(())
}

fn main() {}
