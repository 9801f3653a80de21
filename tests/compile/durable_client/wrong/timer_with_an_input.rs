//! A timer gives nothing but a `TimerInfo`.
use durable_runtime::prelude::*;

#[durable_client(timer("0 0 2 * * *"))]
async fn nightly(_client: DurableClient, _order: String) {}

#[durable_client(timer("0 0 3 * * *"))]
async fn twice(_client: DurableClient, _timer: TimerInfo, _other: TimerInfo) {}

fn main() {}
