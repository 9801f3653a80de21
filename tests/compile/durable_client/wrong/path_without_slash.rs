//! A path that does not begin with a slash.
use durable_runtime::prelude::*;

#[durable_client(http(post, "orders"))]
async fn place(_client: DurableClient) {}

fn main() {}
