//! A function with two triggers.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"), timer("0 0 2 * * *"))]
async fn on_order(_client: DurableClient, _order: String) -> Result<()> {
    Ok(())
}

fn main() {}
