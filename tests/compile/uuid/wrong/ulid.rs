//! An id that is made of the time and of chance.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod ulid {
    pub struct Ulid;

    impl Ulid {
        pub fn new() -> Self {
            Self
        }
    }
}

#[orchestrator]
async fn number(_ctx: OrchestrationContext) -> Result<()> {
    let _id = ulid::Ulid::new();
    Ok(())
}

fn main() {}
