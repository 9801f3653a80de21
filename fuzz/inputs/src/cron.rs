//! Schedules of timers.

use chrono::{DateTime, Utc};
use durable_runtime::inputs;

/// The parser of the macros, which says at compile time what the one of the runtime would say at start-up.
#[path = "../../../durable-macros/src/client_function/cron.rs"]
mod of_macros;

/// A schedule. The macros refuse it with a reason, and then no program has it; or the runtime reads it as well,
/// and it has due times that make sense.
///
/// # Panics
///
/// If that does not hold.
pub fn cron(bytes: &[u8]) {
    let text = crate::text(bytes);
    if let Err(why) = of_macros::check(&text) {
        assert!(!why.is_empty(), "{text:?}");
        return;
    }
    let now = time("2026-03-01T02:03:04.5Z");
    let due = inputs::due_times(&text, now);
    let [latest, next] =
        due.unwrap_or_else(|why| panic!("{text:?} passes, and is not read: {why}"));
    assert!(next.is_some(), "{text:?} passes, and never comes");
    if let Some(latest) = latest {
        assert!(latest <= now, "{text:?}: {latest}");
    }
    if let Some(next) = next {
        assert!(next > now, "{text:?}: {next}");
        // From then on it is the last one.
        let times = inputs::due_times(&text, next).unwrap_or_default();
        assert_eq!(times[0], Some(next), "{text:?}");
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_default()
}
