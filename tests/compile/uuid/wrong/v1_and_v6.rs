//! UUIDs of the time and of the host, each of which is reported.
use durable_runtime::prelude::*;

/// Stands in for the crate with the features `v1` and `v6`.
mod uuid {
    pub struct Uuid;

    impl Uuid {
        pub fn now_v1(_node: &[u8; 6]) -> Self {
            Self
        }

        pub fn now_v6(_node: &[u8; 6]) -> Self {
            Self
        }
    }
}

#[orchestrator]
async fn numbers(_ctx: OrchestrationContext) -> Result<()> {
    use uuid::Uuid;
    let node = [1; 6];
    let _first = Uuid::now_v1(&node);
    let _second = Uuid::now_v6(&node);
    Ok(())
}

fn main() {}
