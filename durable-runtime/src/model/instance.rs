//! An instance as storage keeps it: one row for queries and recovery, and its history.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ExecutionId, HistoryRow, InstanceId, Payload};

/// Labels of an instance, given at its start.
pub type Tags = BTreeMap<String, String>;

/// Where an instance stands. Prints its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuntimeStatus {
    /// Accepted, its code has not run yet.
    Pending,
    /// Its code has run and waits, or runs.
    Running,
    /// Its code returned.
    Completed,
    /// Between two executions; never seen in a query.
    ContinuedAsNew,
    /// Its code failed.
    Failed,
    /// Ended by an operator.
    Terminated,
    /// Held by an operator.
    Suspended,
}

impl RuntimeStatus {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::ContinuedAsNew,
        Self::Failed,
        Self::Terminated,
        Self::Suspended,
    ];

    /// Whether an instance with this status runs no more.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Terminated)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::ContinuedAsNew => "ContinuedAsNew",
            Self::Failed => "Failed",
            Self::Terminated => "Terminated",
            Self::Suspended => "Suspended",
        }
    }
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for RuntimeStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::as_str).join(", ");
                format!("{text:?} is not a runtime status; use one of {names}")
            })
    }
}

/// When the owner of an instance has to look after it unasked. After a crash the new owner finds by
/// this what it has to take up; an instance that only waits for messages has none and costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// It has activities under way.
    Now,
    /// Its next timer, or its scheduled start.
    At(DateTime<Utc>),
}

impl Due {
    /// For a column of integers: 0, or microseconds since 1970 (at least 1).
    pub fn to_micros(self) -> i64 {
        match self {
            Self::Now => 0,
            Self::At(time) => time.timestamp_micros().max(1),
        }
    }

    /// The opposite of [`to_micros`](Self::to_micros).
    pub fn from_micros(micros: i64) -> Self {
        if micros <= 0 {
            return Self::Now;
        }
        Self::At(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }
}

/// The row of an instance: what queries show and recovery needs.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceRecord {
    /// The instance.
    pub id: InstanceId,
    /// Its current execution.
    pub execution: ExecutionId,
    /// Its orchestrator.
    pub name: String,
    /// The version it stays on.
    pub version: Option<String>,
    /// Where it stands.
    pub status: RuntimeStatus,
    /// When it was accepted.
    pub created: DateTime<Utc>,
    /// When anything was last recorded of it.
    pub updated: DateTime<Utc>,
    /// When its owner has to look after it.
    pub due: Option<Due>,
    /// What its code last set.
    pub custom_status: Option<Payload>,
    /// Its result; a failure as JSON when it failed; the reason when terminated or suspended.
    pub output: Option<Payload>,
    /// The instance that started it, where one did.
    pub parent: Option<InstanceId>,
    /// Its labels.
    pub tags: Tags,
}

#[cfg(test)]
impl InstanceRecord {
    /// That of an orchestrator without anything in particular.
    pub(crate) fn plain(id: &str, status: RuntimeStatus) -> Self {
        Self {
            id: InstanceId::trusted(id),
            execution: ExecutionId(uuid::Uuid::nil()),
            name: "any".to_owned(),
            version: None,
            status,
            created: DateTime::UNIX_EPOCH,
            updated: DateTime::UNIX_EPOCH,
            due: None,
            custom_status: None,
            output: None,
            parent: None,
            tags: Tags::new(),
        }
    }
}

/// An instance with its history, as loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredInstance {
    /// The row.
    pub record: InstanceRecord,
    /// The history, in order.
    pub history: Vec<HistoryRow>,
}
