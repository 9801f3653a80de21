//! A schedule without seconds.
use durable_runtime::prelude::*;

#[durable_client(timer("0 2 * * *"))]
async fn nightly(_client: DurableClient) -> Result<()> {
    Ok(())
}

fn main() {}
