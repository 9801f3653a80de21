//! `elapsed()` in an orchestrator, which is wrong on a clock and right on a value.

use std::ops::Deref;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, SystemTimeError};

// The implementations are written out, because the compiler would show the whole macro otherwise.

/// What `elapsed()` is called on. Where that is a clock, the method below is found, and does not
/// compile; otherwise the one of `T` is.
#[derive(Debug)]
pub struct Clock<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Deref for Clock<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

/// No clock is the same in a replay.
#[diagnostic::on_unimplemented(
    message = "`elapsed()` reads a clock, which gives another time in every replay: subtract from \
               `ctx.current_utc_datetime()` [clock]",
    label = "reads a clock"
)]
pub trait SameInReplay {}

impl Clock<'_, Instant> {
    #[doc(hidden)]
    pub fn elapsed(&self) -> Duration
    where
        Self: SameInReplay,
    {
        unreachable!("the program does not compile")
    }
}

impl Clock<'_, &Instant> {
    #[doc(hidden)]
    pub fn elapsed(&self) -> Duration
    where
        Self: SameInReplay,
    {
        unreachable!("the program does not compile")
    }
}

impl Clock<'_, LazyLock<Instant>> {
    #[doc(hidden)]
    pub fn elapsed(&self) -> Duration
    where
        Self: SameInReplay,
    {
        unreachable!("the program does not compile")
    }
}

impl Clock<'_, tokio::time::Instant> {
    #[doc(hidden)]
    pub fn elapsed(&self) -> Duration
    where
        Self: SameInReplay,
    {
        unreachable!("the program does not compile")
    }
}

impl Clock<'_, SystemTime> {
    #[doc(hidden)]
    pub fn elapsed(&self) -> Result<Duration, SystemTimeError>
    where
        Self: SameInReplay,
    {
        unreachable!("the program does not compile")
    }
}

impl Clock<'_, &SystemTime> {
    #[doc(hidden)]
    pub fn elapsed(&self) -> Result<Duration, SystemTimeError>
    where
        Self: SameInReplay,
    {
        unreachable!("the program does not compile")
    }
}
