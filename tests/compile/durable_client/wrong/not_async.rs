//! Functions with a trigger that are not async.
use durable_runtime::prelude::*;

#[durable_client(timer("0 0 2 * * *"))]
fn nightly(_client: DurableClient) {}

#[durable_client(http(get, "/"))]
fn index(_client: DurableClient) {}

fn main() {}
