//! Two clients.
use durable_runtime::prelude::*;

#[durable_client(timer("0 0 2 * * *"))]
async fn nightly(_client: DurableClient, _other: DurableClient) {}

fn main() {}
