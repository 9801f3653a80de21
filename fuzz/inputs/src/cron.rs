//! Schedules of timers.

use chrono::{DateTime, Utc};
use durable_runtime::inputs;

/// The parser of the macros, which says at compile time what the one of the runtime would say at start-up.
#[path = "../../../durable-macros/src/client_function/cron.rs"]
mod of_macros;

/// A schedule. What the macros let through, the runtime reads; what the runtime reads has due times that
/// make sense.
///
/// # Panics
///
/// If that does not hold.
pub fn cron(bytes: &[u8]) {
    let text = crate::text(bytes);
    let passes = of_macros::check(&text);
    if let Err(why) = &passes {
        assert!(!why.is_empty(), "{text:?}");
    }
    let now = time("2026-03-01T02:03:04.5Z");
    let due = inputs::due_times(&text, now);
    let [latest, next] = match (passes, due) {
        (Ok(()), Err(why)) => panic!("{text:?} passes, and is not read: {why}"),
        (Ok(()), Ok([_, None])) => panic!("{text:?} passes, and never comes"),
        (_, Ok(times)) => times,
        (Err(_), Err(why)) => {
            assert!(!why.is_empty(), "{text:?}");
            return;
        }
    };
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
