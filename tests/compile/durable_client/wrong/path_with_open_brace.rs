//! Braces that are not balanced.
use durable_runtime::prelude::*;

#[durable_client(http(post, "/orders/{id"))]
async fn place(_client: DurableClient) {}

fn main() {}
