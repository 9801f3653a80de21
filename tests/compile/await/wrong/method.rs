//! An async method of a type of the user's own.
use durable_runtime::prelude::*;

struct Cart {
    items: Vec<u64>,
}

impl Cart {
    async fn total(&self) -> u64 {
        self.items.iter().sum()
    }
}

#[orchestrator]
async fn checkout(_ctx: OrchestrationContext, items: Vec<u64>) -> Result<u64> {
    let cart = Cart { items };
    Ok(cart.total().await)
}

fn main() {}
