//! One of two inputs that cannot be read from storage.
use durable_runtime::prelude::*;

#[derive(serde::Serialize)]
struct Order;

#[activity]
async fn ship(_to: String, _order: Order) -> Result<()> {
    Ok(())
}

fn main() {}
