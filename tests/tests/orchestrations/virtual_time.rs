//! Hosts in virtual time, for what is about time.

use std::time::Duration;

use durable_runtime::testing::{TestHost, TestHostBuilder, run_with};

pub(crate) use crate::hosts::DAY;
use crate::support::Probe;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// Runs a test with a host that keeps everything in memory, and with one that crashes after every commit.
pub(crate) fn calm_and_crashing(test: impl AsyncFn(TestHost, Probe)) {
    calm_and_crashing_with(TestHost::builder, test);
}

/// The same with hosts of one's own.
pub(crate) fn calm_and_crashing_with(
    host: impl Fn() -> TestHostBuilder,
    test: impl AsyncFn(TestHost, Probe),
) {
    crate::hosts::calm_and_crashing(host, |host| {
        let probe = Probe::new();
        run_with(host.state(probe.clone()), async |host| {
            test(host, probe.clone()).await;
        });
    });
}
