//! An HTTP client that is built in the orchestrator and not awaited there.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod reqwest {
    pub struct Client;

    impl Client {
        pub fn new() -> Self {
            Self
        }
    }
}

#[orchestrator]
async fn page(_ctx: OrchestrationContext) -> Result<()> {
    use reqwest::Client;
    let _client = Client::new();
    Ok(())
}

fn main() {}
