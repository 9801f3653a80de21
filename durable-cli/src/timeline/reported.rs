//! Reading a timeline out of the `historyEvents` of the management API.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Line, Mark, Timeline};
use crate::time;

/// The timeline of the events. A call that has ended is one event there, which says when it was made.
pub(crate) fn read(events: &[Value]) -> Timeline {
    let mut timeline = Timeline::default();
    let mut placed: Vec<_> = events
        .iter()
        .filter_map(|event| {
            let ended = at(event, "Timestamp")?;
            let scheduled = at(event, "ScheduledTime");
            let scheduled = scheduled.filter(|began| is_end_of_call(event) && *began <= ended);
            Some((scheduled.unwrap_or(ended), ended, event))
        })
        .collect();
    // Calls stand where they ended. Equal times keep their order.
    placed.sort_by_key(|(began, ..)| *began);
    let mut timers: Vec<(DateTime<Utc>, usize)> = Vec::new();
    for (began, ended, event) in placed {
        match text(event, "EventType") {
            "TimerFired" => {
                // Which one is told by when it was due, or not at all.
                let due = at(event, "FireAt");
                let is_it = |fire_at| due.map_or(fire_at <= ended, |due| due == fire_at);
                if let Some(found) = timers.iter().position(|(fire_at, _)| is_it(*fire_at)) {
                    let (_, place) = timers.remove(found);
                    timeline.end(place, ended, Mark::Good, "fired");
                    continue;
                }
            }
            "TimerCreated" => {
                let fire_at = at(event, "FireAt").unwrap_or(ended);
                let line = Line::open(format!("timer for {}", time::shown(fire_at)));
                timers.push((fire_at, timeline.add(began, line)));
                timers.sort_unstable();
                continue;
            }
            _ => {}
        }
        let line = line(event);
        let (mark, outcome) = (line.mark, line.outcome.clone());
        let place = timeline.add(began, line);
        if is_end_of_call(event) {
            timeline.end(place, ended, mark, outcome);
        }
    }
    let ends = [
        "ExecutionCompleted",
        "ExecutionTerminated",
        "ExecutionFailed",
    ];
    if events
        .iter()
        .any(|event| ends.contains(&text(event, "EventType")))
    {
        timeline.close();
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
    let entity = |what: &str| format!("{what} {} {name}", text(event, "InstanceId"));
    let mut line = match kind {
        "ExecutionStarted" => Line::of("started"),
        "TaskScheduled" => Line::open(named("activity")),
        "TaskCompleted" => Line::of(named("activity")).with(Mark::Good, "ok"),
        "TaskFailed" => Line::of(named("activity")).with(Mark::Bad, reason(event)),
        "SubOrchestrationInstanceCreated" => Line::open(named("sub-orchestration")),
        "SubOrchestrationInstanceCompleted" => {
            Line::of(named("sub-orchestration")).with(Mark::Good, "ok")
        }
        "SubOrchestrationInstanceFailed" => {
            Line::of(named("sub-orchestration")).with(Mark::Bad, reason(event))
        }
        "EntityOperationCalled" => Line::open(entity("call")),
        "EntityOperationCompleted" => Line::of(entity("call")).with(Mark::Good, "ok"),
        "EntityOperationFailed" => Line::of(entity("call")).with(Mark::Bad, reason(event)),
        "EntityOperationSignaled" => Line::of(entity("signal")),
        "TimerFired" => Line::of("timer").with(Mark::Good, "fired"),
        "EventRaised" => Line::of(named("event")),
        "PatchMarked" => Line::of(named("patch")),
        "EventSent" => Line::of(entity("event to")),
        "ExecutionCompleted" => match text(event, "OrchestrationStatus") {
            "Failed" => Line::of("failed").with(Mark::Bad, reason(event)),
            "Terminated" => Line::of("terminated").with(Mark::Bad, reason(event)),
            _ => Line::of("completed").with(Mark::Good, "ok"),
        },
        "ExecutionTerminated" => Line::of("terminated").with(Mark::Bad, reason(event)),
        "ExecutionFailed" => Line::of("failed").with(Mark::Bad, reason(event)),
        "ExecutionSuspended" => Line::of("suspended").with(Mark::Plain, reason(event)),
        "ExecutionResumed" => Line::of("resumed").with(Mark::Plain, reason(event)),
        "ExecutionRewound" => Line::of("rewound").with(Mark::Plain, reason(event)),
        kind => Line::of(format!("{kind} {name}").trim()).with(Mark::Plain, reason(event)),
    };
    if kind.starts_with("SubOrchestration") {
        let child = text(event, "InstanceId");
        line.child = (!child.is_empty()).then(|| child.to_owned());
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn times(second: u32) -> String {
        format!("2030-01-31T12:00:{second:02}.5000000Z")
    }

    #[test]
    fn calls_stand_where_they_were_made() {
        let events = [
            json!({"EventType": "ExecutionStarted", "FunctionName": "f", "Timestamp": times(0)}),
            json!({"EventType": "TaskCompleted", "FunctionName": "second", "Result": [1],
                   "ScheduledTime": times(2), "Timestamp": times(3)}),
            json!({"EventType": "TaskFailed", "FunctionName": "first", "Reason": "no",
                   "ScheduledTime": times(1), "Timestamp": times(4)}),
            json!({"EventType": "SomethingNew", "Timestamp": times(5)}),
            json!("no event"),
            json!({"EventType": "NoTime"}),
        ];
        let timeline = read(&events);
        let lines = timeline.lines();
        let whats: Vec<_> = lines.iter().map(|line| line.what.as_str()).collect();
        assert_eq!(
            whats,
            [
                "started",
                "activity first",
                "activity second",
                "SomethingNew"
            ]
        );
        assert_eq!(
            (lines[1].at.as_str(), lines[1].took.as_str()),
            ("+1.0 s", "3.0 s")
        );
        assert_eq!(
            (lines[1].mark, lines[1].outcome.as_str()),
            (Mark::Bad, "no")
        );
        assert_eq!(lines[2].result.as_deref(), Some("[1]"));
        assert_eq!(timeline.duration(), "5.0 s");
    }

    #[test]
    fn timers_and_their_ends_are_one_line() {
        let created =
            |due| json!({"EventType": "TimerCreated", "FireAt": times(due), "Timestamp": times(0)});
        let open = [
            created(9),
            created(3),
            json!({"EventType": "TimerFired", "Timestamp": times(4)}),
        ];
        let timeline = read(&open);
        let [late, soon] = timeline.lines() else {
            panic!("{timeline:?}");
        };
        assert_eq!((late.mark, late.outcome.as_str()), (Mark::Open, "open"));
        assert_eq!(
            (soon.outcome.as_str(), soon.took.as_str()),
            ("fired", "4.0 s")
        );
        let end = json!({"EventType": "ExecutionCompleted", "OrchestrationStatus": "Completed",
                         "Timestamp": times(5)});
        let ended = read(&[created(9), end]);
        assert_eq!(ended.lines()[0].outcome, "not awaited");
    }
}
