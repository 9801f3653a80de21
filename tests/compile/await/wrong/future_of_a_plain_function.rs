//! A future that a plain function gives, of which only the trait is known.
use durable_runtime::prelude::*;

fn output(seed: u32) -> impl Future<Output = Option<u32>> {
    std::future::ready(Some(seed))
}

#[deterministic]
async fn number(seed: u32) -> Option<u32> {
    output(seed).await
}

fn main() {}
