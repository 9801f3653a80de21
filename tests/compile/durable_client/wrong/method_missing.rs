//! A route without a method.
use durable_runtime::prelude::*;

#[durable_client(http("/orders"))]
async fn place(_client: DurableClient) {}

fn main() {}
