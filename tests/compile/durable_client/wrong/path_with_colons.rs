//! Parameters as other frameworks have them.
use durable_runtime::prelude::*;

#[durable_client(http(post, "/orders/:id"))]
async fn place(_client: DurableClient) {}

#[durable_client(http(get, "/files/*rest"))]
async fn files(_client: DurableClient) {}

fn main() {}
