//! Where code and history part.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::named;
use crate::engine::{NonDeterminism, call_number};
use crate::model::{EventKind, ExecutionStarted, HistoryEvent, InstanceId};

/// The place where the code does something else than a history says. Prints as a text of several lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Divergence {
    /// The instance whose history it is.
    pub instance_id: String,
    /// Its orchestrator.
    pub orchestrator: String,
    /// The version of that.
    pub version: Option<String>,
    /// The step, from one wait of the code to the next; the first has the number 1.
    pub step: u64,
    /// How many steps the history has.
    pub steps: u64,
    /// The event of the history with which the step begins; the first has the number 1. In a recorded
    /// history each is on a line of its own.
    pub event: usize,
    /// When the step was taken.
    pub time: DateTime<Utc>,
    /// What had arrived for the code before, such as `TaskCompleted #0`.
    pub after: Vec<String>,
    /// What the history has.
    pub history: String,
    /// What the code did, as a clause: "made call #1 of ..", "returned ..".
    pub code: String,
    /// Why that may be, and what to do.
    pub causes: String,
}

const CAUSES: &str = "The code was changed since this was recorded: keep what running instances have done \
                      as it was, and give the change a new version of the orchestrator, or have only new \
                      instances take it. If it was not changed, it depends on something that differs \
                      between runs: a clock, a random number, the environment, a static, the order of a \
                      hash map";

/// The steps of a history: the events with which they begin, with their places.
pub(super) fn steps(history: &[HistoryEvent]) -> impl Iterator<Item = (usize, &HistoryEvent)> {
    let events = history.iter().enumerate();
    events.filter(|(_, event)| event.kind == EventKind::OrchestratorStarted)
}

/// What has arrived, in a few words.
fn arrival(event: &EventKind) -> String {
    match (event, call_number(event)) {
        (EventKind::EventRaised { name, .. }, _) => format!("{} {name:?}", event.name()),
        (_, Some(id)) => format!("{} #{id}", event.name()),
        _ => event.name().to_owned(),
    }
}

impl Divergence {
    pub(super) fn new(
        instance: &InstanceId,
        history: &[HistoryEvent],
        started: &ExecutionStarted,
        found: NonDeterminism,
    ) -> Self {
        let number = usize::try_from(found.step).unwrap_or(usize::MAX);
        let step = steps(history).nth(number.saturating_sub(1));
        let before = step.map_or(&[][..], |(at, _)| &history[..at]);
        let after = before.iter().rev().map(|event| &event.kind);
        let arrived = after.take_while(|event| {
            !event.is_action() && !matches!(event, EventKind::OrchestratorStarted)
        });
        let mut after: Vec<_> = arrived.map(arrival).collect();
        after.reverse();
        let causes = if found.rule == NonDeterminism::REPLAY && found.cause.is_none() {
            CAUSES.to_owned()
        } else {
            found.causes
        };
        Self {
            instance_id: instance.to_string(),
            orchestrator: found.orchestrator,
            version: started.version.clone(),
            step: found.step,
            steps: steps(history).count() as u64,
            event: step.map_or(0, |(at, _)| at + 1),
            time: step.map_or_else(DateTime::default, |(_, event)| event.timestamp),
            after,
            history: found.history,
            code: found.code,
            causes,
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// So many arrivals are named: there may be thousands.
        const NAMED: usize = 3;
        let named = named(&self.orchestrator, self.version.as_deref());
        let time = self.time.to_rfc3339_opts(SecondsFormat::Micros, true);
        let after = match self.after.as_slice() {
            [] => String::new(),
            [first, .., last] if self.after.len() > NAMED => {
                let more = self.after.len() - 2;
                format!(", after {first}, {last} and {more} more")
            }
            few => format!(", after {}", few.join(", ")),
        };
        writeln!(
            f,
            "{named} does not repeat the history of instance {:?}",
            self.instance_id
        )?;
        writeln!(
            f,
            "  at step {} of {}, event {} of the history, {time}{after}",
            self.step, self.steps, self.event
        )?;
        writeln!(f, "  the history has: {}", self.history)?;
        writeln!(f, "  the code:        {}", self.code)?;
        write!(f, "  likely causes:   {}", self.causes)
    }
}
