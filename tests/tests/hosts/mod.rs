//! Hosts in virtual time, for what is about time.

use std::time::Duration;

use durable_runtime::testing::TestHostBuilder;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Runs a test twice: with a host that keeps everything in memory, and with one that crashes after every commit,
/// and so replays every instance at every step (rule 23).
pub(crate) fn calm_and_crashing(
    host: impl Fn() -> TestHostBuilder,
    test: impl Fn(TestHostBuilder),
) {
    println!("on a calm host");
    test(host());
    println!("on a host that crashes");
    test(host().crash_at_every_commit());
}
