//! What a timer and a queue cannot judge.
use durable_runtime::prelude::*;

#[durable_client(timer("0 0 2 * * *"))]
async fn nightly(_client: DurableClient) -> u32 {
    7
}

#[durable_client(queue("orders"))]
async fn on_order(_client: DurableClient, _order: String) -> impl Sized {}

fn main() {}
