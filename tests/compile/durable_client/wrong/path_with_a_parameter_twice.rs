//! A parameter that is in the path twice.
use durable_runtime::prelude::*;

#[durable_client(http(post, "/orders/{id}/items/{id}"))]
async fn place(_client: DurableClient) {}

fn main() {}
