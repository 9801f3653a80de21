//! Many runs and one result.
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;

#[durable_runtime::test(seeds = 100)]
async fn waits(host: TestHost) -> Result<()> {
    drop(host);
    Ok(())
}

fn main() {}
