//! Entities: writing their rows in a commit, and reading them.

use rusqlite::{OptionalExtension, params, params_from_iter};
use serde::Serialize;

use super::error::Fault;
use super::hub::Hub;
use super::queries::{PageQuery, micros_rounded_up};
use super::row::{self, entity_columns};
use super::transaction::{Statement, Transaction};
use crate::model::{Due, EntityOperation, EntityRecord, InstanceId, PartitionId, Payload};
use crate::storage::{EntityFilter, EntityPageRequest, StorageError};

// An entity never changes its partition. While nothing is due, before and after, no index is written.
const UPSERT: &str = "
    INSERT INTO entities (hub, id, partition, last_operation, due, lock, state, queue)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (hub, id) DO UPDATE
    SET last_operation = ?4, due = ?5, lock = ?6, state = ?7, queue = ?8";
const DELETE: &str = "DELETE FROM entities WHERE hub = ?1 AND id = ?2";
const ENTITY: &str = concat!(
    "SELECT ",
    entity_columns!(),
    ", queue FROM entities WHERE hub = ?1 AND id = ?2"
);
// The queue is nothing that a page has, and may be large.
const PAGE: &str = concat!(
    "SELECT ",
    entity_columns!(),
    ", NULL AS queue FROM entities WHERE hub = ?"
);
const PAGE_ORDER: &str = " ORDER BY id";

/// The statements that write entities, kept for a whole commit.
pub(super) struct EntityWriter<'a> {
    hub: i64,
    upsert: Statement<'a>,
    delete: Statement<'a>,
}

impl<'a> EntityWriter<'a> {
    pub(super) fn new(transaction: &'a Transaction<'_>, hub: i64) -> Self {
        Self {
            hub,
            upsert: transaction.statement(UPSERT),
            delete: transaction.statement(DELETE),
        }
    }

    pub(super) fn upsert(
        &mut self,
        partition: PartitionId,
        record: &EntityRecord,
    ) -> Result<(), Fault> {
        self.upsert.get()?.execute(params![
            self.hub,
            record.id.as_str(),
            partition.0,
            record.last_operation.timestamp_micros(),
            record.due.map(Due::to_micros),
            record
                .lock
                .as_ref()
                .map(|lock| encode(&record.id, lock))
                .transpose()?,
            record.state.as_ref().map(Payload::as_json),
            encode_queue(&record.id, &record.queue)?,
        ])?;
        Ok(())
    }

    pub(super) fn delete(&mut self, id: &InstanceId) -> Result<(), Fault> {
        self.delete.get()?.execute((self.hub, id.as_str()))?;
        Ok(())
    }
}

fn encode_queue(id: &InstanceId, queue: &[EntityOperation]) -> Result<Option<String>, Fault> {
    if queue.is_empty() {
        return Ok(None);
    }
    encode(id, &queue).map(Some)
}

fn encode(id: &InstanceId, value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|error| Fault::record(format_args!("entity {id:?}"), error))
}

impl Hub {
    pub(super) fn read_entities(
        &self,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<EntityRecord>>, StorageError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(ENTITY)?;
            ids.iter()
                .map(|id| {
                    statement
                        .query_row((self.key, id.as_str()), |row| Ok(row::entity(row)))
                        .optional()?
                        .transpose()
                })
                .collect()
        })
    }

    pub(super) fn read_entity_page(
        &self,
        request: &EntityPageRequest,
    ) -> Result<Vec<EntityRecord>, StorageError> {
        let query = page_query(self.key, &request.filter, request.after.as_ref());
        self.database.read(|transaction| {
            let mut page = Vec::new();
            let mut statement = transaction.prepare_cached(&query.sql)?;
            let mut rows = statement.query(params_from_iter(query.params))?;
            while page.len() < request.size
                && let Some(row) = rows.next()?
            {
                page.push(row::entity(row)?);
            }
            Ok(page)
        })
    }
}

fn page_query(hub: i64, filter: &EntityFilter, after: Option<&InstanceId>) -> PageQuery {
    let mut query = PageQuery::new(PAGE, hub);
    let first = filter.name.as_ref().map(|name| format!("@{name}@"));
    let after = after.map(InstanceId::as_str);
    // One lower bound, the higher of the two: SQLite looks up one, and reads what lies between them.
    if after >= first.as_deref()
        && let Some(after) = after
    {
        query.and("id > ?", [after.to_owned().into()]);
    } else if let Some(first) = first {
        query.and("id >= ?", [first.into()]);
    }
    if let Some(name) = &filter.name {
        // 'A' is the character that follows '@'.
        query.and("id < ?", [format!("@{name}A").into()]);
    }
    if let Some(from) = filter.last_operation_from {
        query.and("last_operation >= ?", [micros_rounded_up(from).into()]);
    }
    if let Some(to) = filter.last_operation_to {
        query.and("last_operation <= ?", [to.timestamp_micros().into()]);
    }
    if !filter.include_stateless {
        query.and("state IS NOT NULL", []);
    }
    query.sql.push_str(PAGE_ORDER);
    query
}
