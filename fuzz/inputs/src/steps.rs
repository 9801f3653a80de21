//! Histories whose events are well formed, in any order.

use serde_json::{Value, json};

/// Where a recorded history begins, in microseconds since 1970.
const BEGIN: i64 = 1_795_286_492_000_000;
/// The id of the execution whose history it is.
pub(crate) const EXECUTION: u128 = 0xc7bc_ac6b_ebd7_4a35_85d5_9269_2ea1_2c5e;
const SECOND: i64 = 1_000_000;
/// With the task ids that no history is long enough for.
const IDS: [u64; 16] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    1 << 32,
    u64::MAX,
];
const ORCHESTRATORS: [&str; 5] = ["branches", "everything", "order", "wait", "echo"];
const KINDS: [&str; 28] = [
    "OrchestratorStarted",
    "TaskScheduled",
    "TaskCompleted",
    "TimerCreated",
    "TimerFired",
    "EventRaised",
    "SubOrchestrationCreated",
    "SubOrchestrationCompleted",
    "EntityCalled",
    "EntityCompleted",
    "EntitySignaled",
    "LockRequested",
    "LockGranted",
    "LockReleased",
    "PatchMarked",
    "EventSent",
    "TaskFailed",
    "TaskRestarted",
    "SubOrchestrationFailed",
    "EntityFailed",
    "LockFailed",
    "ExecutionSuspended",
    "ExecutionResumed",
    "ExecutionTerminated",
    "ExecutionCompleted",
    "ExecutionFailed",
    "ExecutionRewound",
    "ExecutionStarted",
];

/// The events of an instance, and its orchestrator.
pub(crate) struct Steps {
    pub(crate) orchestrator: &'static str,
    /// As they stand in a row of a database.
    pub(crate) history: Vec<Value>,
}

/// The first byte says of which orchestrator a history is, and each two that follow are an event. Of those the
/// first says of what kind it is and whether the time goes back before it; half of the second is the id of a
/// task, and the other half says which of several things it is or has.
pub(crate) fn read(bytes: &[u8]) -> Option<Steps> {
    let (first, events) = bytes.split_first()?;
    let orchestrator = pick(&ORCHESTRATORS, *first);
    let mut time = BEGIN;
    let mut history = vec![json!([
        time,
        event("ExecutionStarted", 0, orchestrator, time)
    ])];
    for pair in events.chunks_exact(2) {
        time += if pair[0] < 128 { SECOND } else { -SECOND };
        let kind = pick(&KINDS, pair[0] & 127);
        history.push(json!([time, event(kind, pair[1], orchestrator, time)]));
    }
    Some(Steps {
        orchestrator,
        history,
    })
}

/// The bytes of the JSON of such a history, as it is recorded.
pub(crate) fn recording(bytes: &[u8]) -> Option<Vec<u8>> {
    let Steps {
        orchestrator,
        history,
    } = read(bytes)?;
    let export = json!({
        "instanceId": "recorded",
        "name": orchestrator,
        "version": null,
        "runtimeStatus": "Running",
        "history": history,
    });
    Some(export.to_string().into_bytes())
}

/// The bytes that [`read`] makes these events of: the kind, the id of the task and which one.
pub(crate) fn bytes(orchestrator: &str, events: &[(&str, u8, u8)]) -> Vec<u8> {
    let mut bytes = vec![place(&ORCHESTRATORS, orchestrator)];
    for (kind, id, which) in events {
        bytes.extend([place(&KINDS, kind), which << 4 | id]);
    }
    bytes
}

fn place(of: &[&str], name: &str) -> u8 {
    let place = of.iter().position(|other| *other == name);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

pub(crate) fn pick<T: Clone>(from: &[T], at: u8) -> T {
    from[usize::from(at) % from.len()].clone()
}

fn event(kind: &str, argument: u8, orchestrator: &str, time: i64) -> Value {
    let which = argument >> 4;
    let mut fields = json!({"id": pick(&IDS, argument & 15)});
    match kind {
        "OrchestratorStarted" => return json!(kind),
        "TaskScheduled" => {
            fields["name"] = json!(pick(&["put_aside", "other"], which));
            fields["input"] = json!("tea");
        }
        "TaskCompleted"
        | "SubOrchestrationCompleted"
        | "EntityCompleted"
        | "ExecutionCompleted" => {
            fields["result"] = result(which);
        }
        "TaskFailed"
        | "SubOrchestrationFailed"
        | "EntityFailed"
        | "LockFailed"
        | "ExecutionFailed" => {
            let error_type = pick(
                &["Error", "NonDeterministic", "Timeout", "Cancelled"],
                which,
            );
            fields["failure"] = json!({"errorType": error_type, "message": "no"});
        }
        "SubOrchestrationCreated" => {
            fields["instance"] = json!(pick(&["child-0", "child-1", "recorded"], which));
            fields["name"] = json!("echo");
            fields["input"] = json!(which);
        }
        "EntityCalled" | "EntitySignaled" => {
            fields["entity"] = json!(pick(&["@tally@all", "@tally@a", "@tally@b"], which));
            fields["operation"] = json!(pick(&["add", "name"], which / 3));
            fields["input"] = json!(1);
        }
        "LockRequested" => {
            let both = ["@tally@a", "@tally@b"];
            fields["entities"] = json!(pick(&[&both[..], &both[..1], &[]], which));
        }
        "TimerCreated" => fields["fire_at"] = json!(time + i64::from(which) * SECOND),
        "EventRaised" => {
            fields = json!({"name": pick(&["decision", "go"], which), "data": result(which / 2)});
        }
        "EventSent" => {
            fields["instance"] = json!("waits");
            fields["name"] = json!("go");
            fields["data"] = result(which);
        }
        "PatchMarked" => {
            fields =
                json!({"patch": pick(&["counts", "other"], which), "deprecated": which / 2 == 1});
        }
        "ExecutionStarted" | "ExecutionRewound" => {
            fields = json!({
                "execution": format!("{EXECUTION:032x}"),
                "name": orchestrator,
                "input": pick(&[json!(0), json!("tea"), Value::Null], which),
                "reason": "again",
            });
        }
        "ExecutionSuspended" | "ExecutionResumed" | "ExecutionTerminated" => {
            fields = json!({"reason": "enough"});
        }
        _ => {}
    }
    json!({ kind: fields })
}

/// What functions return and events carry: what fits a type of some function, or of none.
pub(crate) fn result(which: u8) -> Value {
    match which % 6 {
        0 => json!(7),
        1 => json!({"approved": true, "by": "Ann", "amount": 9, "share": 0.5, "lines": []}),
        2 => Value::Null,
        3 => json!({"approved": true, "by": null, "amount": 1, "share": 1, "lines": ["Nothing"]}),
        4 => json!("tea"),
        _ => json!(-1),
    }
}
