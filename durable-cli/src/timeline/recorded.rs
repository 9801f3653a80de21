//! Reading a timeline out of the events that storage holds.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use durable_runtime::Failure;
use durable_runtime::model::{EventKind as Kind, HistoryEvent, Payload, TaskId};

use super::{Line, Mark, Timeline};
use crate::time;

/// The timeline of a history.
pub(crate) fn read(events: &[HistoryEvent]) -> Timeline {
    let mut reader = Reader::default();
    for event in events {
        reader.read(event);
    }
    if reader.ended {
        reader.timeline.close();
    }
    reader.timeline
}

#[derive(Default)]
struct Reader {
    timeline: Timeline,
    /// The line of each call.
    calls: HashMap<TaskId, usize>,
    ended: bool,
}

impl Reader {
    fn read(&mut self, event: &HistoryEvent) {
        let at = event.timestamp;
        match &event.kind {
            Kind::OrchestratorStarted => self.timeline.tick(at),
            Kind::ExecutionStarted(started) => {
                let mut line = Line::of("started").given(started.input.as_json());
                if let Some(start_at) = started.start_at {
                    line = line.with(Mark::Plain, format!("for {}", time::shown(start_at)));
                }
                self.timeline.add(at, line);
            }
            Kind::TaskCompleted { id, result }
            | Kind::SubOrchestrationCompleted { id, result }
            | Kind::EntityCompleted { id, result } => self.completed(at, *id, result),
            Kind::TaskFailed { id, failure }
            | Kind::SubOrchestrationFailed { id, failure }
            | Kind::EntityFailed { id, failure }
            | Kind::LockFailed { id, failure } => self.end(at, *id, Mark::Bad, told(failure)),
            Kind::TimerFired { id } => self.end(at, *id, Mark::Good, "fired"),
            Kind::LockGranted { id } => self.end(at, *id, Mark::Good, "locked"),
            Kind::TaskRestarted { id } => {
                let what = self
                    .calls
                    .get(id)
                    .and_then(|at| self.timeline.lines.get(*at));
                let what = what.map_or(String::new(), |line| line.what.clone());
                let line = Line::of(format!("{what} again, after a crash"));
                self.timeline.add(at, line);
            }
            kind if kind.is_action() => self.action(at, kind),
            kind => self.other(at, kind),
        }
    }

    /// What the code did.
    fn action(&mut self, at: DateTime<Utc>, kind: &Kind) {
        let (id, line) = match kind {
            Kind::TaskScheduled { id, name, input } => (
                id,
                Line::open(format!("activity {name}")).given(input.as_json()),
            ),
            Kind::SubOrchestrationCreated {
                id,
                instance,
                name,
                input,
                ..
            } => {
                let mut line = Line::open(format!("sub-orchestration {name}"));
                line.child = Some(instance.to_string());
                (id, line.given(input.as_json()))
            }
            Kind::EntityCalled {
                id,
                entity,
                operation,
                input,
            } => {
                let line = Line::open(format!("call {entity} {operation}"));
                (id, line.given(input.as_json()))
            }
            Kind::LockRequested { id, entities } => {
                let names: Vec<_> = entities.iter().map(ToString::to_string).collect();
                (id, Line::open(format!("lock {}", names.join(", "))))
            }
            Kind::TimerCreated { id, fire_at } => (
                id,
                Line::open(format!("timer for {}", time::shown(*fire_at))),
            ),
            Kind::EntitySignaled {
                entity,
                operation,
                input,
                at: due,
                ..
            } => {
                let mut line = Line::of(format!("signal {entity} {operation}"));
                if let Some(due) = due {
                    line = line.with(Mark::Plain, format!("for {}", time::shown(*due)));
                }
                self.timeline.add(at, line.given(input.as_json()));
                return;
            }
            Kind::EventSent {
                instance,
                name,
                data,
                ..
            } => {
                let line = Line::of(format!("event {name} to {instance}"));
                self.timeline.add(at, line.given(data.as_json()));
                return;
            }
            Kind::PatchMarked { patch, .. } => {
                self.timeline.add(at, Line::of(format!("patch {patch}")));
                return;
            }
            _ => {
                let line = Line::of(match kind {
                    Kind::LockReleased { .. } => "locks released",
                    kind => kind.name(),
                });
                self.timeline.add(at, line);
                return;
            }
        };
        let place = self.timeline.add(at, line);
        self.calls.insert(*id, place);
    }

    /// What reached the execution, but answers none of its calls.
    fn other(&mut self, at: DateTime<Utc>, kind: &Kind) {
        let line = match kind {
            Kind::EventRaised { name, data } => {
                Line::of(format!("event {name}")).given(data.as_json())
            }
            Kind::ExecutionRewound { reason, .. } => Line::of("rewound").with(Mark::Plain, reason),
            Kind::ExecutionSuspended { reason } => Line::of("suspended").with(Mark::Plain, reason),
            Kind::ExecutionResumed { reason } => Line::of("resumed").with(Mark::Plain, reason),
            Kind::ExecutionTerminated { reason } => {
                self.ended = true;
                Line::of("terminated").with(Mark::Bad, reason)
            }
            Kind::ExecutionCompleted { result } => {
                self.ended = true;
                Line {
                    result: returned(result),
                    ..Line::of("completed").with(Mark::Good, "ok")
                }
            }
            Kind::ExecutionFailed { failure } => {
                self.ended = true;
                Line::of("failed").with(Mark::Bad, told(failure))
            }
            kind => Line::of(kind.name()),
        };
        self.timeline.add(at, line);
    }

    fn completed(&mut self, at: DateTime<Utc>, id: TaskId, result: &Payload) {
        self.end(at, id, Mark::Good, "ok");
        let line = self.calls.get(&id).copied();
        if let Some(line) = line.and_then(|place| self.timeline.lines.get_mut(place)) {
            line.result = returned(result);
        }
    }

    fn end(&mut self, at: DateTime<Utc>, id: TaskId, mark: Mark, outcome: impl Into<String>) {
        if let Some(place) = self.calls.get(&id) {
            self.timeline.end(*place, at, mark, outcome);
        }
    }
}

fn returned(result: &Payload) -> Option<String> {
    let text = result.as_json();
    (text != "null").then(|| text.to_owned())
}

fn told(failure: &Failure) -> String {
    format!("{}: {}", failure.error_type(), failure.message())
}
