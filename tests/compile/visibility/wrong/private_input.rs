//! A private type in the signature of a public activity.
use durable_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Order;

#[activity]
#[allow(private_interfaces)]
pub async fn ship(_order: Order) -> Result<()> {
    Ok(())
}

fn main() {}
