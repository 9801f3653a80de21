//! A generic function.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
async fn on_order<T>(_client: DurableClient, _order: T) {}

fn main() {}
