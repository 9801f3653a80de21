//! A path that is taken.
use durable_runtime::prelude::*;

#[durable_client(http(get, "/runtime/webhooks/durabletask/instances"))]
async fn place(_client: DurableClient) {}

fn main() {}
