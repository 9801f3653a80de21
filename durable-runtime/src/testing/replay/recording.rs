//! The form in which histories are recorded.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ReplayError;
use crate::model::{EventKind, HistoryEvent, InstanceId, RuntimeStatus};

/// The history of an instance.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    pub(super) instance: InstanceId,
    /// In order. What was read from JSON begins with `ExecutionStarted`.
    pub(super) history: Vec<HistoryEvent>,
}

/// What `durable get-history --output json` prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object that holds a history")]
struct Export<'a> {
    #[serde(borrow)]
    instance_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(rename = "runtimeStatus")]
    _runtime_status: Option<RuntimeStatus>,
    history: Option<Vec<HistoryEvent>>,
    history_events: Option<IgnoredAny>,
}

impl Recording {
    /// Reads what was exported.
    pub(super) fn from_json(json: &str) -> Result<Self, ReplayError> {
        let export: Export<'_> = serde_json::from_str(json).map_err(|error| at(&error))?;
        if export.history.is_none() && export.history_events.is_some() {
            return Err(at_the_beginning(
                "this was told by a host over HTTP (\"historyEvents\"), which leaves out what a replay \
                 needs; read it from storage, with --storage",
            ));
        }
        let missing = |field: &str| at_the_beginning(format!("there is no {field:?}"));
        let id = export.instance_id.ok_or_else(|| missing("instanceId"))?;
        let instance =
            InstanceId::new(&*id).map_err(|error| at_the_beginning(error.to_string()))?;
        let history = export.history.ok_or_else(|| missing("history"))?;
        let Some(EventKind::ExecutionStarted(started)) = history.first().map(|event| &event.kind)
        else {
            return Err(at_the_beginning(
                "\"history\" does not begin with the event \"ExecutionStarted\"",
            ));
        };
        let is_other = export.name.is_some_and(|name| name != started.name)
            || export.version.as_deref() != started.version.as_deref();
        if is_other {
            return Err(at_the_beginning(
                "\"name\" and \"version\" are not those of the event \"ExecutionStarted\"",
            ));
        }
        Ok(Self { instance, history })
    }
}

fn at(error: &serde_json::Error) -> ReplayError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    // The place is told before.
    let place = format!(" at line {line} column {column}");
    ReplayError::NotRecorded {
        line,
        column,
        message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
    }
}

fn at_the_beginning(message: impl Into<String>) -> ReplayError {
    ReplayError::NotRecorded {
        line: 1,
        column: 1,
        message: message.into(),
    }
}
