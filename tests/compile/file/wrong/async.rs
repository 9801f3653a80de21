//! A file that is read by an async library.
use durable_runtime::prelude::*;

/// Stands in for the crate with the feature `fs`.
mod tokio {
    pub mod fs {
        pub async fn read(_path: &str) -> std::io::Result<Vec<u8>> {
            Ok(Vec::new())
        }
    }
}

#[orchestrator]
async fn size(_ctx: OrchestrationContext) -> Result<usize> {
    Ok(tokio::fs::read("report.txt").await?.len())
}

fn main() {}
