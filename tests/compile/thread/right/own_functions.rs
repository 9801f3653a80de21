//! Functions of the user's own with the names of those of a thread.
use durable_runtime::prelude::*;

mod forum {
    pub mod thread {
        pub fn current() -> u32 {
            7
        }

        pub fn yield_now(number: u32) -> u32 {
            number
        }
    }
}

fn current() -> u32 {
    1
}

#[orchestrator]
async fn read(_ctx: OrchestrationContext) -> Result<u32> {
    use forum::thread::yield_now;
    Ok(current() + forum::thread::current() + yield_now(2))
}

fn main() {}
