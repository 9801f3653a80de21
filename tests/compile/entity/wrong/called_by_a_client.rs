//! A client that waits for an entity.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn get(&self) -> i64 {
        self.value
    }
}

async fn look(client: DurableClient) -> Result<i64> {
    Ok(client.entity::<Counter>("k").get().await?)
}

fn main() {}
