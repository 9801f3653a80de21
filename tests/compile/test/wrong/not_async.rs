//! A test that is no `async fn`.
use durable_runtime::testing::TestHost;

#[durable_runtime::test]
fn waits(host: TestHost) {
    drop(host);
}

fn main() {}
