//! Instances and entities as they are printed: the shape of `--output json`, which is that of the
//! management API with more in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use durable_runtime::client::{EntityMetadata, OrchestrationStatus, RuntimeStatus};
use durable_runtime::model::{EntityId, Failure};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::time;

/// An instance. Times are UTC; over HTTP to the second, otherwise to the microsecond.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    pub(crate) name: String,
    #[serde(rename = "instanceId")]
    pub(crate) id: String,
    pub(crate) runtime_status: String,
    #[serde(default)]
    pub(crate) input: Value,
    #[serde(default)]
    pub(crate) custom_status: Value,
    /// The failure of one that has failed; the reason of one that was terminated or is suspended.
    #[serde(default)]
    pub(crate) output: Value,
    #[serde(serialize_with = "exact")]
    pub(crate) created_time: DateTime<Utc>,
    #[serde(serialize_with = "exact")]
    pub(crate) last_updated_time: DateTime<Utc>,
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// `null` over HTTP, which does not tell. So is the following.
    #[serde(default)]
    pub(crate) parent_instance_id: Option<String>,
    #[serde(default)]
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

impl Instance {
    pub(crate) fn status(&self) -> Option<RuntimeStatus> {
        self.runtime_status.parse().ok()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.status().is_some_and(RuntimeStatus::has_ended)
    }

    /// How it failed, if it did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.status() != Some(RuntimeStatus::Failed) {
            return None;
        }
        Failure::deserialize(&self.output).ok()
    }
}

impl From<OrchestrationStatus> for Instance {
    fn from(status: OrchestrationStatus) -> Self {
        Self {
            name: status.name,
            id: status.instance_id,
            runtime_status: status.runtime_status.to_string(),
            input: status.input.unwrap_or_default(),
            custom_status: status.custom_status.unwrap_or_default(),
            output: status.output.unwrap_or_default(),
            created_time: status.created_time,
            last_updated_time: status.last_updated_time,
            version: status.version,
            parent_instance_id: status.parent,
            tags: Some(status.tags),
        }
    }
}

/// An entity.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entity {
    #[serde(rename = "entityId", serialize_with = "entity_id")]
    pub(crate) id: EntityId,
    #[serde(serialize_with = "exact")]
    pub(crate) last_operation_time: DateTime<Utc>,
    /// `null` over HTTP, which does not tell.
    pub(crate) locked_by: Option<String>,
    /// Left out unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Value>,
}

impl From<EntityMetadata> for Entity {
    fn from(entity: EntityMetadata) -> Self {
        Self {
            id: entity.id,
            last_operation_time: entity.last_operation,
            locked_by: entity.locked_by,
            state: entity.state,
        }
    }
}

/// `{"name": .., "key": ..}`, as the management API has it.
pub(crate) fn name_and_key(id: &EntityId) -> Value {
    json!({ "name": id.name(), "key": id.key() })
}

fn entity_id<S: Serializer>(id: &EntityId, serializer: S) -> Result<S::Ok, S::Error> {
    name_and_key(id).serialize(serializer)
}

fn exact<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time::exact(*time))
}
