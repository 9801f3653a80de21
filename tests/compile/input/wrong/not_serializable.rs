//! An input that cannot be stored.
use durable_runtime::prelude::*;

struct Order;

#[activity]
async fn ship(_order: Order) -> Result<()> {
    Ok(())
}

fn main() {}
