//! Modules of the user's own with the names of those of the environment.
use durable_runtime::prelude::*;

mod settings {
    pub mod env {
        pub fn var(name: &str) -> String {
            name.to_lowercase()
        }
    }

    pub fn args() -> Vec<String> {
        Vec::new()
    }
}

#[orchestrator]
async fn region(_ctx: OrchestrationContext) -> Result<usize> {
    let region = settings::env::var("REGION");
    Ok(region.len() + settings::args().len())
}

fn main() {}
