//! Seeds for nobody.
#[durable_runtime::test(seeds = 100)]
async fn waits() {}

fn main() {}
