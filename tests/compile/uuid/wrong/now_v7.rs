//! A UUID of the time, in full.
use durable_runtime::prelude::*;

/// Stands in for the crate with the feature `v7`.
mod uuid {
    pub struct Uuid;

    impl Uuid {
        pub fn now_v7() -> Self {
            Self
        }

        pub fn as_u128(&self) -> u128 {
            7
        }
    }
}

#[orchestrator]
async fn number(_ctx: OrchestrationContext) -> Result<u128> {
    Ok(uuid::Uuid::now_v7().as_u128())
}

fn main() {}
