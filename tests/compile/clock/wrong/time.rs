//! The clock of the crate `time`.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod time {
    pub struct OffsetDateTime;

    impl OffsetDateTime {
        pub fn now_utc() -> Self {
            Self
        }

        pub fn year(&self) -> i32 {
            2026
        }
    }
}

#[orchestrator]
async fn year(_ctx: OrchestrationContext) -> Result<i32> {
    Ok(time::OffsetDateTime::now_utc().year())
}

fn main() {}
