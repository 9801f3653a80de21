//! A future that is not `Send`.
use durable_runtime::prelude::*;

#[durable_client(timer("0 0 2 * * *"))]
async fn nightly(client: DurableClient) {
    let shared = std::rc::Rc::new(1);
    let _ = client.queue_length("orders").await;
    drop(shared);
}

fn main() {}
