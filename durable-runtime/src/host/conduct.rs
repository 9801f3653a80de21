//! Which activities give their thread back soon.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::registry::Registry;

/// What an activity may take of its thread at first: about as much as a commit.
const SOON: Duration = Duration::from_micros(100);
/// The credit from which on an activity is trusted. Each time that it gives its thread back soon is worth 1.
const ENOUGH: i64 = 16;
/// What one can have.
const MOST: i64 = 64;
/// What each [`SOON`] for which it keeps its thread costs.
const PRICE: i64 = 4;
/// Beyond this there is nothing to lose.
const LEAST: i64 = -100_000;

/// How long each activity has kept its thread, so far, until it waited for the first time.
#[derive(Debug)]
pub(super) struct Conduct {
    credits: FxHashMap<&'static str, AtomicI64>,
}

impl Conduct {
    pub(super) fn of(registry: &Registry) -> Self {
        let names = registry.activities().map(|(activity, _)| activity.name);
        Self {
            credits: names.map(|name| (name, AtomicI64::new(0))).collect(),
        }
    }

    /// Whether it is unlikely to keep a thread.
    pub(super) fn is_trusted(&self, activity: &str) -> bool {
        let credit = self.credits.get(activity);
        credit.is_some_and(|credit| credit.load(Ordering::Relaxed) >= ENOUGH)
    }

    /// It has kept its thread for so long.
    pub(super) fn note(&self, activity: &str, took: Duration) {
        let Some(credit) = self.credits.get(activity) else {
            return;
        };
        let times = took.as_nanos() / SOON.as_nanos();
        let change = match i64::try_from(times) {
            Ok(0) => 1,
            Ok(times) => times.saturating_mul(-PRICE),
            Err(_) => i64::MIN,
        };
        let before = credit.load(Ordering::Relaxed);
        let after = before.saturating_add(change).clamp(LEAST, MOST);
        // What others note at the same time may be lost: this is a guess in any case.
        if after != before {
            credit.store(after, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVITY: &str = "any";

    fn conduct() -> Conduct {
        Conduct {
            credits: [(ACTIVITY, AtomicI64::new(0))].into_iter().collect(),
        }
    }

    /// How often it has to give its thread back until it is trusted.
    fn until_trusted(conduct: &Conduct) -> i64 {
        let mut times = 0;
        while !conduct.is_trusted(ACTIVITY) {
            conduct.note(ACTIVITY, SOON / 2);
            times += 1;
        }
        times
    }

    #[test]
    fn trust_has_to_be_earned() {
        let conduct = conduct();
        assert_eq!(until_trusted(&conduct), ENOUGH);
        conduct.note("another", SOON / 2);
        assert!(!conduct.is_trusted("another"));
    }

    #[test]
    fn a_moment_too_long_is_forgiven() {
        let conduct = conduct();
        for _ in 0..MOST * 2 {
            conduct.note(ACTIVITY, SOON / 2);
        }
        conduct.note(ACTIVITY, SOON);
        assert!(conduct.is_trusted(ACTIVITY));
    }

    #[test]
    fn the_longer_it_keeps_its_thread_the_more_it_has_to_make_up_for() {
        let conduct = conduct();
        until_trusted(&conduct);
        conduct.note(ACTIVITY, SOON * 200);
        assert_eq!(until_trusted(&conduct), 200 * PRICE);
        conduct.note(ACTIVITY, Duration::MAX);
        assert_eq!(until_trusted(&conduct), ENOUGH - LEAST);
    }
}
