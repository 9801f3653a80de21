//! The one place that reads clocks.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// The time, to the microsecond that storage keeps.
pub(crate) fn now() -> DateTime<Utc> {
    #[cfg(feature = "simulation")]
    if let Some(now) = simulated::now() {
        return now;
    }
    real::now()
}

/// For measuring durations.
pub(crate) fn instant() -> Instant {
    #[cfg(feature = "simulation")]
    if let Some(now) = simulated::instant() {
        return now;
    }
    real::instant()
}

/// The time since `earlier`.
pub(crate) fn since(earlier: Instant) -> Duration {
    instant().saturating_duration_since(earlier)
}

/// The time from now to `time`; zero if that is past.
pub(crate) fn until(time: DateTime<Utc>) -> Duration {
    (time - now()).to_std().unwrap_or_default()
}

/// Where the time comes from of something that a test can run in virtual time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Clock {
    /// The clocks of the machine.
    #[default]
    Machine,
    /// A test, whose time stands still while anything can run.
    #[cfg(feature = "testing")]
    Virtual(crate::testing::VirtualTime),
}

impl Clock {
    /// As [`now`].
    pub(crate) fn now(self) -> DateTime<Utc> {
        match self {
            Self::Machine => now(),
            #[cfg(feature = "testing")]
            Self::Virtual(time) => time.now(),
        }
    }

    /// As [`instant`].
    pub(crate) fn instant(self) -> Instant {
        match self {
            Self::Machine => instant(),
            #[cfg(feature = "testing")]
            Self::Virtual(_) => tokio::time::Instant::now().into_std(),
        }
    }

    /// The time from now to `time`; zero if that is past.
    pub(crate) fn until(self, time: DateTime<Utc>) -> Duration {
        (time - self.now()).to_std().unwrap_or_default()
    }

    /// Completes at `at`, on the async runtime.
    pub(crate) async fn sleep_until(self, at: Instant) {
        match self {
            Self::Machine => tokio::time::sleep_until(at.into()).await,
            #[cfg(feature = "testing")]
            Self::Virtual(_) => crate::testing::sleep_until(at.into()).await,
        }
    }

    pub(crate) fn is_virtual(self) -> bool {
        !matches!(self, Self::Machine)
    }
}

mod real {
    use std::time::Instant;

    use chrono::{DateTime, SubsecRound, Utc};

    #[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
    pub(super) fn now() -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    #[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
    pub(super) fn instant() -> Instant {
        Instant::now()
    }
}

/// A clock of the present thread that goes only when it is told to.
#[cfg(feature = "simulation")]
pub(crate) mod simulated {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use chrono::{DateTime, TimeDelta, Utc};

    /// The beginning of the year 2024.
    const START: i64 = 1_704_067_200;

    /// When the clock was set going, and how far it has gone.
    type Passed = (Instant, Duration);

    thread_local! {
        static PASSED: Cell<Option<Passed>> = const { Cell::new(None) };
    }

    /// From now on the thread has this clock, until the guard is dropped.
    pub(crate) fn begin() -> Simulated {
        PASSED.set(Some((super::real::instant(), Duration::ZERO)));
        Simulated(())
    }

    /// Gives the thread its real clock back when it is dropped.
    #[derive(Debug)]
    pub(crate) struct Simulated(());

    impl Drop for Simulated {
        fn drop(&mut self) {
            PASSED.set(None);
        }
    }

    /// How far the clock has gone; `None` if the thread has none of this kind.
    pub(crate) fn passed() -> Option<Duration> {
        PASSED.get().map(|(_, passed)| passed)
    }

    /// Lets time pass. Returns whether the thread has a clock of this kind.
    pub(crate) fn pass(duration: Duration) -> bool {
        let Some((origin, passed)) = PASSED.get() else {
            return false;
        };
        PASSED.set(Some((origin, passed.saturating_add(duration))));
        true
    }

    pub(super) fn now() -> Option<DateTime<Utc>> {
        let micros = i64::try_from(passed()?.as_micros()).ok()?;
        DateTime::from_timestamp(START, 0)?.checked_add_signed(TimeDelta::microseconds(micros))
    }

    pub(super) fn instant() -> Option<Instant> {
        let (origin, passed) = PASSED.get()?;
        origin.checked_add(passed)
    }
}
