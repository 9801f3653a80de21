//! The generator of `rand` for a thread, by a `use` in the body.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod rand {
    pub struct ThreadRng;

    impl ThreadRng {
        pub fn random_range(&mut self, range: std::ops::Range<u8>) -> u8 {
            range.start
        }
    }

    pub fn rng() -> ThreadRng {
        ThreadRng
    }
}

#[orchestrator]
async fn draw(_ctx: OrchestrationContext) -> Result<u8> {
    use rand::rng;
    Ok(rng().random_range(1..7))
}

fn main() {}
