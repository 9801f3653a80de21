//! A random number of `rand`.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod rand {
    pub fn random<T: Default>() -> T {
        T::default()
    }
}

#[orchestrator]
async fn draw(_ctx: OrchestrationContext) -> Result<u8> {
    Ok(rand::random::<u8>() % 6 + 1)
}

fn main() {}
