//! Names of the user's own where all of a module is imported that spawns.
#![allow(unused_imports)]

use durable_runtime::prelude::*;

/// Stands in for the crate.
mod rayon {
    pub mod prelude {
        pub trait ParallelSlice {}
    }
}

fn double(number: u32) -> u32 {
    number * 2
}

#[orchestrator]
async fn sum(_ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<u32> {
    use rayon::prelude::*;
    let sum = numbers.iter().sum();
    Ok(double(sum))
}

fn main() {}
