//! Whoever waits for a seed hears of it, even if it never comes to an end.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use durable_runtime::simulation::Outcome;

use super::scenario::{self, Options};

/// A seed takes a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(180);

/// As [`run`](scenario::run), in a thread of its own: that it panics, or does not end, is a violation.
/// One that does not end keeps its thread.
pub fn run_watched(options: Options) -> Outcome {
    within(PATIENCE, move || scenario::run(options))
}

fn within(patience: Duration, run: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    let (sender, outcome) = channel();
    thread::spawn(move || {
        // Nobody waits any more for one that comes too late.
        let _ = sender.send(run());
    });
    let violation = match outcome.recv_timeout(patience) {
        Ok(outcome) => return outcome,
        Err(RecvTimeoutError::Disconnected) => "it panicked".to_owned(),
        Err(RecvTimeoutError::Timeout) => {
            format!("it has not come to an end within {patience:?}: somebody's turn does not end")
        }
    };
    Outcome {
        violations: vec![violation],
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_or_panics_is_a_violation() {
        const SOON: Duration = Duration::from_millis(10);
        let (_never, wait) = channel::<Outcome>();
        let outcome = within(SOON, move || wait.recv().unwrap_or_default());
        assert!(outcome.violations[0].contains("turn does not end"));
        let outcome = within(PATIENCE, || panic!("on purpose"));
        assert_eq!(outcome.violations, ["it panicked"]);
        let right = Outcome {
            commits: 7,
            ..Outcome::default()
        };
        let same = right.clone();
        assert_eq!(within(PATIENCE, move || same), right);
    }
}
