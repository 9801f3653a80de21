//! Triggers written as options.
use durable_runtime::prelude::*;

#[durable_client(timer)]
async fn bare(_client: DurableClient) {}

#[durable_client(queue = "orders")]
async fn option(_client: DurableClient, _order: String) {}

#[durable_client(queue())]
async fn empty(_client: DurableClient, _order: String) {}

fn main() {}
