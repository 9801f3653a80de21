//! Reading a timeline out of the `historyEvents` of the management API.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Line, Mark, Timeline};

/// The timeline of the events. A call that has ended is one event there, which says when it was made.
pub(crate) fn read(events: &[Value]) -> Timeline {
    let mut timeline = Timeline::default();
    let mut placed: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let ended = at(event, "Timestamp")?;
            let scheduled = at(event, "ScheduledTime").filter(|scheduled| *scheduled <= ended);
            Some((scheduled.unwrap_or(ended), ended, event))
        })
        .collect();
    // Calls stand where they ended. Equal times keep their order.
    placed.sort_by_key(|(began, ..)| *began);
    for (began, ended, event) in placed {
        let line = line(event);
        let (mark, outcome) = (line.mark, line.outcome.clone());
        let took_time = line.took.is_empty() && is_end_of_call(event);
        let place = timeline.add(began, line);
        if took_time {
            timeline.end(place, ended, mark, outcome);
        }
    }
    timeline
}

fn is_end_of_call(event: &Value) -> bool {
    let kind = text(event, "EventType");
    event.get("ScheduledTime").is_some()
        && (kind.ends_with("Completed") || kind.ends_with("Failed"))
}

fn line(event: &Value) -> Line {
    let name = [text(event, "FunctionName"), text(event, "Name")];
    let name = name
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    let kind = text(event, "EventType");
    let named = |what: &str| format!("{what} {name}");
    let mut line = match kind {
        "ExecutionStarted" => Line::of("started"),
        "TaskScheduled" => Line::open(named("activity")),
        "TaskCompleted" => Line::of(named("activity")).with(Mark::Good, "ok"),
        "TaskFailed" => Line::of(named("activity")).with(Mark::Bad, reason(event)),
        "SubOrchestrationInstanceCreated" => Line {
            child: Some(text(event, "InstanceId").to_owned()).filter(|id| !id.is_empty()),
            ..Line::open(named("sub-orchestration"))
        },
        "SubOrchestrationInstanceCompleted" => {
            Line::of(named("sub-orchestration")).with(Mark::Good, "ok")
        }
        "SubOrchestrationInstanceFailed" => {
            Line::of(named("sub-orchestration")).with(Mark::Bad, reason(event))
        }
        "TimerCreated" => Line::of(format!("timer for {}", text(event, "FireAt"))),
        "TimerFired" => Line::of("timer").with(Mark::Good, "fired"),
        "EventRaised" => Line::of(named("event")),
        "ExecutionCompleted" => match text(event, "OrchestrationStatus") {
            "Failed" => Line::of("failed").with(Mark::Bad, reason(event)),
            "Terminated" => Line::of("terminated").with(Mark::Bad, reason(event)),
            _ => Line::of("completed").with(Mark::Good, "ok"),
        },
        kind => Line::of(if name.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind} {name}")
        })
        .with(Mark::Plain, reason(event)),
    };
    let payload = |name| event.get(name).filter(|value| !value.is_null());
    line.input = payload("Input").map(Value::to_string);
    line.result = payload("Result").map(Value::to_string);
    line
}

fn reason(event: &Value) -> String {
    let texts = [text(event, "Reason"), text(event, "Details")];
    let text = texts.into_iter().find(|text| !text.is_empty());
    text.unwrap_or_default().to_owned()
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn at(event: &Value, name: &str) -> Option<DateTime<Utc>> {
    text(event, name).parse().ok()
}
