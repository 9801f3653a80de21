//! What a queue does not take.
use durable_runtime::prelude::*;

#[durable_client(queue("my orders"))]
async fn spaces(_client: DurableClient, _order: String) {}

#[durable_client(queue("orders", batch = 3))]
async fn batch(_client: DurableClient, _order: String) {}

#[durable_client(queue("other", concurrency = 0))]
async fn nothing(_client: DurableClient, _order: String) {}

fn main() {}
