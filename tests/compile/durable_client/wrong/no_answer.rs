//! What is no answer to a request.
use durable_runtime::prelude::*;

struct Order;

#[durable_client(http(get, "/"))]
async fn index(_client: DurableClient) -> Order {
    Order
}

fn main() {}
