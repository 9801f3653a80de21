//! The history of an instance in the words of Durable Functions: rule 43.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::status::to_the_tick;
use crate::model::{EventKind, Failure, HistoryEvent, Payload, RuntimeStatus, TaskId};

/// What of the payloads is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) inputs: bool,
    pub(super) outputs: bool,
}

/// The events of `history`. The turns of the orchestrator are left out, and a call that has ended is
/// left out as well: its end says when it was made, and of what.
pub(super) fn events(history: &[HistoryEvent], shown: Shown) -> Vec<Value> {
    let mut writer = Writer {
        shown,
        calls: HashMap::new(),
        written: Vec::with_capacity(history.len()),
    };
    for event in history {
        writer.write(event);
    }
    writer
        .written
        .into_iter()
        .flatten()
        .map(Value::Object)
        .collect()
}

struct Writer<'a> {
    shown: Shown,
    calls: HashMap<TaskId, Call<'a>>,
    /// `None` where a call was whose end has come.
    written: Vec<Option<Map<String, Value>>>,
}

/// A call whose end may come.
struct Call<'a> {
    at: usize,
    time: DateTime<Utc>,
    name: &'a str,
    input: &'a Payload,
}

impl<'a> Writer<'a> {
    fn write(&mut self, event: &'a HistoryEvent) {
        use EventKind as Kind;
        let time = event.timestamp;
        match &event.kind {
            Kind::OrchestratorStarted => {}
            Kind::ExecutionStarted(started) => {
                let mut fields = fields(json!({ "FunctionName": started.name }));
                self.add_input(&mut fields, &started.input);
                self.push("ExecutionStarted", time, fields);
            }
            Kind::TaskScheduled { id, name, input } => {
                let call = self.call(time, name, input);
                self.calls.insert(*id, call);
                let mut fields = fields(json!({ "Name": name }));
                self.add_input(&mut fields, input);
                self.push("TaskScheduled", time, fields);
            }
            Kind::SubOrchestrationCreated {
                id,
                instance,
                name,
                input,
                ..
            } => {
                let call = self.call(time, name, input);
                self.calls.insert(*id, call);
                let mut fields = fields(json!({ "Name": name, "InstanceId": instance }));
                self.add_input(&mut fields, input);
                self.push("SubOrchestrationInstanceCreated", time, fields);
            }
            Kind::EntityCalled {
                id,
                entity,
                operation,
                input,
            } => {
                let call = self.call(time, operation, input);
                self.calls.insert(*id, call);
                let mut fields = fields(json!({ "Name": operation, "InstanceId": entity }));
                self.add_input(&mut fields, input);
                self.push("EntityOperationCalled", time, fields);
            }
            Kind::TaskCompleted { id, result } => {
                self.completed("TaskCompleted", time, *id, result);
            }
            Kind::SubOrchestrationCompleted { id, result } => {
                self.completed("SubOrchestrationInstanceCompleted", time, *id, result);
            }
            Kind::EntityCompleted { id, result } => {
                self.completed("EntityOperationCompleted", time, *id, result);
            }
            Kind::TaskFailed { id, failure } => self.failed("TaskFailed", time, *id, failure),
            Kind::SubOrchestrationFailed { id, failure } => {
                self.failed("SubOrchestrationInstanceFailed", time, *id, failure);
            }
            Kind::EntityFailed { id, failure } => {
                self.failed("EntityOperationFailed", time, *id, failure);
            }
            other => self.write_other(time, other),
        }
    }

    /// What is neither a call nor the end of one.
    fn write_other(&mut self, time: DateTime<Utc>, kind: &'a EventKind) {
        use EventKind as Kind;
        match kind {
            Kind::TimerCreated { fire_at, .. } => {
                self.push(
                    "TimerCreated",
                    time,
                    fields(json!({ "FireAt": to_the_tick(*fire_at) })),
                );
            }
            Kind::EventRaised { name, data } => {
                let mut fields = fields(json!({ "Name": name }));
                self.add_input(&mut fields, data);
                self.push("EventRaised", time, fields);
            }
            Kind::EventSent {
                instance,
                name,
                data,
                ..
            } => {
                let mut fields = fields(json!({ "Name": name, "InstanceId": instance }));
                self.add_input(&mut fields, data);
                self.push("EventSent", time, fields);
            }
            Kind::EntitySignaled {
                entity,
                operation,
                input,
                at,
                ..
            } => {
                let mut fields = fields(json!({ "Name": operation, "InstanceId": entity }));
                if let Some(at) = at {
                    fields.insert("ScheduledTime".to_owned(), to_the_tick(*at).into());
                }
                self.add_input(&mut fields, input);
                self.push("EntityOperationSignaled", time, fields);
            }
            Kind::PatchMarked { patch, .. } => {
                self.push(kind.name(), time, fields(json!({ "Name": patch })));
            }
            Kind::ExecutionSuspended { reason }
            | Kind::ExecutionResumed { reason }
            | Kind::ExecutionRewound { reason, .. } => {
                self.push(kind.name(), time, fields(json!({ "Reason": reason })));
            }
            Kind::ExecutionTerminated { reason } => {
                self.push(kind.name(), time, fields(json!({ "Input": reason })));
            }
            Kind::ExecutionCompleted { result } => {
                let status = RuntimeStatus::Completed.as_str();
                let mut fields = fields(json!({ "OrchestrationStatus": status }));
                if self.shown.outputs {
                    fields.insert("Result".to_owned(), result.to_value());
                }
                self.push("ExecutionCompleted", time, fields);
            }
            Kind::ExecutionFailed { failure } => {
                let status = RuntimeStatus::Failed.as_str();
                let mut fields = fields(json!({ "OrchestrationStatus": status }));
                add_failure(&mut fields, failure);
                self.push("ExecutionCompleted", time, fields);
            }
            other => self.push(other.name(), time, Map::new()),
        }
    }

    fn call(&self, time: DateTime<Utc>, name: &'a str, input: &'a Payload) -> Call<'a> {
        Call {
            at: self.written.len(),
            time,
            name,
            input,
        }
    }

    fn completed(&mut self, kind: &str, time: DateTime<Utc>, id: TaskId, result: &Payload) {
        let mut fields = self.take_call(id);
        if self.shown.outputs {
            fields.insert("Result".to_owned(), result.to_value());
        }
        self.push(kind, time, fields);
    }

    fn failed(&mut self, kind: &str, time: DateTime<Utc>, id: TaskId, failure: &Failure) {
        let mut fields = self.take_call(id);
        add_failure(&mut fields, failure);
        self.push(kind, time, fields);
    }

    /// What the end of a call says of it, in whose place it stands from now on.
    fn take_call(&mut self, id: TaskId) -> Map<String, Value> {
        let Some(call) = self.calls.remove(&id) else {
            return Map::new();
        };
        let made = self.written.get_mut(call.at).and_then(Option::take);
        let mut fields = fields(json!({
            "FunctionName": call.name,
            "ScheduledTime": to_the_tick(call.time),
        }));
        if let Some(instance) = made.and_then(|mut made| made.remove("InstanceId")) {
            fields.insert("InstanceId".to_owned(), instance);
        }
        self.add_input(&mut fields, call.input);
        fields
    }

    fn add_input(&self, fields: &mut Map<String, Value>, input: &Payload) {
        if self.shown.inputs {
            fields.insert("Input".to_owned(), input.to_value());
        }
    }

    fn push(&mut self, kind: &str, time: DateTime<Utc>, mut fields: Map<String, Value>) {
        fields.insert("EventType".to_owned(), kind.into());
        fields.insert("Timestamp".to_owned(), to_the_tick(time).into());
        self.written.push(Some(fields));
    }
}

/// What went wrong is no output: it is always shown.
fn add_failure(fields: &mut Map<String, Value>, failure: &Failure) {
    fields.insert("Reason".to_owned(), failure.message().into());
    let details = serde_json::to_value(failure).unwrap_or_default();
    fields.insert("FailureDetails".to_owned(), details);
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
