//! The status of an instance, as JSON.

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::client::{OrchestrationStatus, RuntimeStatus};

/// The status of an instance in the words of Durable Functions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusBody {
    name: String,
    instance_id: String,
    runtime_status: &'static str,
    input: Option<Value>,
    custom_status: Option<Value>,
    output: Option<Value>,
    created_time: String,
    last_updated_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history_events: Option<Vec<Value>>,
}

impl StatusBody {
    pub(super) fn new(status: OrchestrationStatus, history_events: Option<Vec<Value>>) -> Self {
        Self {
            name: status.name,
            instance_id: status.instance_id,
            runtime_status: status.runtime_status.as_str(),
            input: status.input,
            custom_status: status.custom_status,
            output: status.output,
            created_time: to_the_second(status.created_time),
            last_updated_time: to_the_second(status.last_updated_time),
            version: status.version,
            history_events,
        }
    }
}

/// Which code the status of a failed instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureCode {
    Ok,
    InternalServerError,
}

impl FailureCode {
    /// The code of the status of an instance that has ended.
    pub(super) fn of(self, status: RuntimeStatus) -> StatusCode {
        match self {
            Self::InternalServerError if status == RuntimeStatus::Failed => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::OK,
        }
    }
}

fn to_the_second(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// With seven decimals, as times of history and of entities have them.
pub(super) fn to_the_tick(time: DateTime<Utc>) -> String {
    // Storage keeps six.
    let mut text = time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    text.push_str("0Z");
    text
}
