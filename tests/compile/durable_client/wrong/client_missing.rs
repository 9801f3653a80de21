//! A function without a client.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order(_order: String) -> Result<()> {
    Ok(())
}

#[durable_client(http(get, "/"))]
async fn index() -> &'static str {
    "hello"
}

fn main() {}
