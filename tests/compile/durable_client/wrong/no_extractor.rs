//! A parameter that cannot be made from a request.
use durable_runtime::prelude::*;

struct Order;

#[durable_client(http(post, "/orders"))]
async fn place(_order: Order, _client: DurableClient) {}

#[durable_client(http(post, "/others"))]
async fn last(_client: DurableClient, _order: Order) {}

fn main() {}
