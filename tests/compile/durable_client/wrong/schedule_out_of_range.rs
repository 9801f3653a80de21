//! Values that a field of a schedule does not have.
use durable_runtime::prelude::*;

#[durable_client(timer("0 60 * * * *"))]
async fn minute(_client: DurableClient) {}

#[durable_client(timer("0 0 0 * * MONDAY"))]
async fn day(_client: DurableClient) {}

#[durable_client(timer("0 0 0 30 2 *"))]
async fn never(_client: DurableClient) {}

#[durable_client(timer("*/0 * * * * *"))]
async fn step(_client: DurableClient) {}

fn main() {}
