//! A trigger that there is not.
use durable_runtime::prelude::*;

#[durable_client(cron("0 0 2 * * *"))]
async fn nightly(_client: DurableClient) -> Result<()> {
    Ok(())
}

fn main() {}
