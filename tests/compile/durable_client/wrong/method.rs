//! A method.
use durable_runtime::prelude::*;

struct Shop;

impl Shop {
    #[durable_client(queue("orders"))]
    async fn on_order(self, _client: DurableClient, _order: String) {}
}

fn main() {}
