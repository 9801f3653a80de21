//! A route without a path.
use durable_runtime::prelude::*;

#[durable_client(http(post))]
async fn place(_client: DurableClient) {}

fn main() {}
