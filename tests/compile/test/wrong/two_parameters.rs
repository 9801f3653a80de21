//! A test that takes more than a host.
use durable_runtime::testing::TestHost;

#[durable_runtime::test]
async fn waits(host: TestHost, number: u64) {
    drop((host, number));
}

fn main() {}
