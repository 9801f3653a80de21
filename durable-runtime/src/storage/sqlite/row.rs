//! How model and columns translate into each other.

use std::fmt;

use chrono::{DateTime, Utc};
use rusqlite::Row;
use rusqlite::types::FromSql;
use uuid::Uuid;

use super::error::Fault;
use crate::model::{
    Due, EntityRecord, ExecutionId, InstanceId, InstanceRecord, MessageOrigin, PartitionId,
    Payload, RuntimeStatus, Tags,
};

/// What [`Instance::read`] expects, from the table `instances`.
macro_rules! instance_columns {
    () => {
        "key, id, execution, name, version, status, created, due, custom_status, output, parent, \
         tags, updated, (\
             SELECT episodes.updated FROM episodes WHERE episodes.key >= instances.key * 1048576 \
             AND episodes.key < (instances.key + 1) * 1048576 ORDER BY episodes.key DESC LIMIT 1\
         ) AS stepped"
    };
}
pub(super) use instance_columns;

/// A row of `instances`.
pub(super) struct Instance {
    pub(super) key: i64,
    pub(super) record: InstanceRecord,
}

impl Instance {
    /// Reads a row of `instance_columns!()`.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let key = row.get(0)?;
        let id: String = row.get(1)?;
        match record(row, &id) {
            Ok(record) => Ok(Self { key, record }),
            Err(message) => Err(Fault::record(format_args!("instance {id:?}"), message)),
        }
    }
}

fn record(row: &Row<'_>, id: &str) -> Result<InstanceRecord, String> {
    let execution: Vec<u8> = get(row, "execution")?;
    let status: String = get(row, "status")?;
    let tags: Option<String> = get(row, "tags")?;
    let due: Option<i64> = get(row, "due")?;
    let parent: Option<String> = get(row, "parent")?;
    let stepped: Option<i64> = get(row, "stepped")?;
    Ok(InstanceRecord {
        id: InstanceId::trusted(id),
        execution: Uuid::from_slice(&execution)
            .map(ExecutionId)
            .map_err(|error| bad("execution", error))?,
        name: get(row, "name")?,
        version: get(row, "version")?,
        status: status
            .parse::<RuntimeStatus>()
            .map_err(|e| bad("status", e))?,
        created: time(row, "created")?,
        updated: match stepped.and_then(DateTime::from_timestamp_micros) {
            Some(stepped) => time(row, "updated")?.max(stepped),
            None => time(row, "updated")?,
        },
        due: due.map(Due::from_micros),
        custom_status: payload(row, "custom_status")?,
        output: payload(row, "output")?,
        parent: parent.map(InstanceId::trusted),
        tags: match tags {
            Some(tags) => serde_json::from_str(&tags).map_err(|error| bad("tags", error))?,
            None => Tags::new(),
        },
    })
}

/// What [`entity`] expects, from the table `entities`, followed by `queue`.
macro_rules! entity_columns {
    () => {
        "id, last_operation, due, lock, state"
    };
}
pub(super) use entity_columns;

/// Reads a row of `entity_columns!()` and `queue`.
pub(super) fn entity(row: &Row<'_>) -> Result<EntityRecord, Fault> {
    let id: String = row.get(0)?;
    entity_record(row, &id).map_err(|message| Fault::record(format_args!("entity {id:?}"), message))
}

fn entity_record(row: &Row<'_>, id: &str) -> Result<EntityRecord, String> {
    let due: Option<i64> = get(row, "due")?;
    let lock: Option<String> = get(row, "lock")?;
    let queue: Option<String> = get(row, "queue")?;
    Ok(EntityRecord {
        id: InstanceId::trusted(id),
        state: payload(row, "state")?,
        last_operation: time(row, "last_operation")?,
        due: due.map(Due::from_micros),
        lock: lock
            .map(|lock| serde_json::from_str(&lock).map_err(|error| bad("lock", error)))
            .transpose()?,
        queue: match queue {
            Some(queue) => serde_json::from_str(&queue).map_err(|error| bad("queue", error))?,
            None => Vec::new(),
        },
    })
}

fn payload(row: &Row<'_>, column: &str) -> Result<Option<Payload>, String> {
    let text: Option<String> = get(row, column)?;
    text.map(Payload::from_json)
        .transpose()
        .map_err(|error| bad(column, error))
}

fn get<T: FromSql>(row: &Row<'_>, column: &str) -> Result<T, String> {
    row.get(column).map_err(|error| bad(column, error))
}

fn time(row: &Row<'_>, column: &str) -> Result<DateTime<Utc>, String> {
    DateTime::from_timestamp_micros(get(row, column)?)
        .ok_or_else(|| bad(column, "it is out of range"))
}

fn bad(column: &str, problem: impl fmt::Display) -> String {
    format!("its {column} cannot be read ({problem})")
}

/// The column `origin`.
pub(super) fn origin_to_column(origin: MessageOrigin) -> i64 {
    match origin {
        MessageOrigin::Client => -1,
        MessageOrigin::Partition(partition) => partition.0.into(),
    }
}

/// The opposite.
pub(super) fn origin_from_column(origin: i64) -> MessageOrigin {
    u32::try_from(origin).map_or(MessageOrigin::Client, |number| {
        MessageOrigin::Partition(PartitionId(number))
    })
}
