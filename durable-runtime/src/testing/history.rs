//! What was recorded of an instance, to be compared with what a test expects.

use std::fmt;

use crate::model::{EventKind, HistoryEvent, Payload};

/// The history of an instance. It prints one line for each event, without the times and without what is
/// the same for all (when the code ran).
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    events: Vec<HistoryEvent>,
}

impl History {
    pub(super) fn new(events: Vec<HistoryEvent>) -> Self {
        Self { events }
    }

    /// All events, in order.
    pub fn events(&self) -> &[HistoryEvent] {
        &self.events
    }

    /// One line for each event, such as `TaskScheduled charge(500)`.
    pub fn lines(&self) -> Vec<String> {
        let shown = self
            .events
            .iter()
            .filter(|event| event.kind != EventKind::OrchestratorStarted);
        shown.map(describe).collect()
    }

    /// Checks that the history has these events and no others, in this order. A line may stop early:
    /// `TaskScheduled charge` stands for a call with any input.
    ///
    /// # Panics
    ///
    /// If it is another one: with both, and where they part.
    #[track_caller]
    pub fn expect(&self, expected: &[&str]) {
        if let Some(difference) = difference(&self.lines(), expected) {
            panic!("the history is another one (- expected, + found):\n{difference}");
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// `None` if both are the same.
fn difference(found: &[String], expected: &[&str]) -> Option<String> {
    let fits = |(found, expected): (&String, &&str)| found.starts_with(expected);
    let same_before = found
        .iter()
        .zip(expected)
        .take_while(|pair| fits(*pair))
        .count();
    if same_before == found.len() && same_before == expected.len() {
        return None;
    }
    let (found_rest, expected_rest) = (&found[same_before..], &expected[same_before..]);
    let same_after = found_rest
        .iter()
        .rev()
        .zip(expected_rest.iter().rev())
        .take_while(|pair| fits(*pair))
        .count();
    let found_end = found_rest.len() - same_after;
    let expected_end = expected_rest.len() - same_after;
    let mut lines: Vec<_> = found[..same_before]
        .iter()
        .map(|line| format!("  {line}\n"))
        .collect();
    let missing = expected_rest[..expected_end].iter();
    lines.extend(missing.map(|line| format!("- {line}\n")));
    let new = found_rest[..found_end].iter();
    lines.extend(new.map(|line| format!("+ {line}\n")));
    let same = found_rest[found_end..].iter();
    lines.extend(same.map(|line| format!("  {line}\n")));
    Some(lines.concat())
}

/// One line.
pub(super) fn describe(event: &HistoryEvent) -> String {
    let call = |name: &str, input: &Payload| format!("{name}({})", input.as_json());
    let rest = match &event.kind {
        EventKind::ExecutionStarted(started) => call(&started.name, &started.input),
        EventKind::ExecutionRewound { reason, .. }
        | EventKind::ExecutionSuspended { reason }
        | EventKind::ExecutionResumed { reason }
        | EventKind::ExecutionTerminated { reason } => reason.clone(),
        EventKind::TaskScheduled { name, input, .. }
        | EventKind::SubOrchestrationCreated { name, input, .. } => call(name, input),
        EventKind::TaskCompleted { result, .. }
        | EventKind::SubOrchestrationCompleted { result, .. }
        | EventKind::EntityCompleted { result, .. }
        | EventKind::ExecutionCompleted { result } => result.as_json().to_owned(),
        EventKind::TaskFailed { failure, .. }
        | EventKind::SubOrchestrationFailed { failure, .. }
        | EventKind::EntityFailed { failure, .. }
        | EventKind::LockFailed { failure, .. }
        | EventKind::ExecutionFailed { failure } => failure.message().to_owned(),
        EventKind::EntityCalled {
            entity,
            operation,
            input,
            ..
        }
        | EventKind::EntitySignaled {
            entity,
            operation,
            input,
            ..
        } => format!("{entity} {}", call(operation, input)),
        EventKind::TimerCreated { fire_at, .. } => fire_at.format("%FT%T%.fZ").to_string(),
        EventKind::EventRaised { name, data } => call(name, data),
        EventKind::EventSent {
            instance,
            name,
            data,
            ..
        } => format!("{instance} {}", call(name, data)),
        EventKind::PatchMarked { patch, .. } => patch.clone(),
        EventKind::OrchestratorStarted
        | EventKind::TaskRestarted { .. }
        | EventKind::LockRequested { .. }
        | EventKind::LockGranted { .. }
        | EventKind::LockReleased { .. }
        | EventKind::TimerFired { .. } => String::new(),
    };
    let line = format!("{} {rest}", event.kind.name());
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::difference;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_difference_shows_what_is_missing_and_what_is_new() {
        let found = lines(&["Started", "TaskScheduled b(1)", "Completed"]);
        assert_eq!(
            difference(&found, &["Started", "TaskScheduled b", "Completed"]),
            None
        );
        let text = difference(&found, &["Started", "TaskScheduled a", "Completed"]).unwrap();
        assert_eq!(
            text,
            "  Started\n- TaskScheduled a\n+ TaskScheduled b(1)\n  Completed\n"
        );
        let text = difference(&found, &["Started"]).unwrap();
        assert_eq!(text, "  Started\n+ TaskScheduled b(1)\n+ Completed\n");
        let text = difference(&found[..1], &["Started", "Completed"]).unwrap();
        assert_eq!(text, "  Started\n- Completed\n");
    }
}
