//! The clocks of `jiff`, each of which is reported.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod jiff {
    pub struct Timestamp;
    pub struct Zoned;

    impl Timestamp {
        pub fn now() -> Self {
            Self
        }
    }

    impl Zoned {
        pub fn now() -> Self {
            Self
        }
    }
}

#[orchestrator]
async fn stamp(_ctx: OrchestrationContext) -> Result<()> {
    use jiff::{Timestamp, Zoned};
    let _timestamp = Timestamp::now();
    let _zoned = Zoned::now();
    Ok(())
}

fn main() {}
