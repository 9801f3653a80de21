//! An option that there is not.
use durable_runtime::testing::TestHost;

#[durable_runtime::test(seed = 7)]
async fn waits(host: TestHost) {
    drop(host);
}

fn main() {}
