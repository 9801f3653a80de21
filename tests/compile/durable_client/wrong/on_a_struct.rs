//! Something that is no function.
use durable_runtime::prelude::*;

#[durable_client(queue("orders"))]
struct Order;

fn main() {}
