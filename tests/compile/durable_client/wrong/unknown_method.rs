//! Methods that there are not.
use durable_runtime::prelude::*;

#[durable_client(http(psot, "/orders"))]
async fn near(_client: DurableClient) {}

#[durable_client(http(subscribe, "/orders"))]
async fn far(_client: DurableClient) {}

fn main() {}
