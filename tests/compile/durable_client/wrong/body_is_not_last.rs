//! The extractor of the body is not the last one.
use durable_runtime::prelude::*;

#[durable_client(http(post, "/orders"))]
async fn place(_body: String, _client: DurableClient) {}

fn main() {}
