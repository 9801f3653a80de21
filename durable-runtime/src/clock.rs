//! The one place that reads clocks.

use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};

/// The time, to the microsecond that storage keeps.
#[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// For measuring durations.
#[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// The time from now to `time`; zero if that is past.
pub(crate) fn until(time: DateTime<Utc>) -> Duration {
    (time - now()).to_std().unwrap_or_default()
}
