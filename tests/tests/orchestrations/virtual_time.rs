//! Hosts in virtual time, for what is about time.

use std::time::Duration;

use durable_runtime::testing::{TestHost, run_with};

use crate::support::Probe;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Runs a test twice: on a host that keeps everything in memory, and on one that crashes after every commit,
/// and so replays every instance at every step (rule 23).
pub(crate) fn calm_and_crashing(test: impl AsyncFn(TestHost, Probe)) {
    calm_and_crashing_with(TestHost::builder, test);
}

/// The same with hosts of one's own.
pub(crate) fn calm_and_crashing_with(
    builder: impl Fn() -> durable_runtime::testing::TestHostBuilder,
    test: impl AsyncFn(TestHost, Probe),
) {
    let crashing = builder().crash_at_every_commit();
    for (kind, host) in [("calm", builder()), ("crashing", crashing)] {
        println!("on a {kind} host");
        let probe = Probe::new();
        run_with(host.state(probe.clone()), async |host| {
            test(host, probe.clone()).await;
        });
    }
}
