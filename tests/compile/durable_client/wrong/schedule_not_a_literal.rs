//! A schedule that the macro cannot see.
use durable_runtime::prelude::*;

const NIGHTLY: &str = "0 0 2 * * *";

#[durable_client(timer(NIGHTLY))]
async fn nightly(_client: DurableClient) -> Result<()> {
    Ok(())
}

fn main() {}
