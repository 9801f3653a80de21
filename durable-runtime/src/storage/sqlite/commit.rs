//! One commit: everything that several partitions have done, in one transaction.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, ToSql};

use super::entities::EntityWriter;
use super::error::Fault;
use super::history::HistoryWriter;
use super::inbox;
use super::transaction::{Statement, Transaction};
use super::writer::{HubKeys, Indexed, Known};
use crate::model::{
    Delta, Due, Epoch, InstanceDelta, InstanceId, InstanceRecord, PartitionId, Payload,
};
use crate::storage::{StorageError, is_entity};

const READ_EPOCH: &str = "SELECT epoch FROM leases WHERE hub = ?1 AND partition = ?2";

// By far the most frequent: nothing changes that has an index. The id is compared so that a key that
// is not the instance's does nothing.
const UPDATE: &str = "
    UPDATE instances SET
        execution = ?3, name = ?4, version = ?5, status = ?6, updated = ?7, custom_status = ?8,
        output = ?9, tags = ?10
    WHERE key = ?1 AND id = ?2";
// What is set is deleted from its indexes and inserted again, whether it differs or not. An orchestration that
// begins or stops to have something to do differs in one of three.
const UPDATE_DUE: &str = "
    UPDATE instances SET
        execution = ?3, name = ?4, version = ?5, status = ?6, updated = ?7, custom_status = ?8,
        output = ?9, tags = ?10, due = ?12
    WHERE key = ?1 AND id = ?2";
const UPDATE_INDEXED: &str = "
    UPDATE instances SET
        execution = ?3, name = ?4, version = ?5, status = ?6, updated = ?7, custom_status = ?8,
        output = ?9, tags = ?10, created = ?11, due = ?12, parent = ?13
    WHERE key = ?1 AND id = ?2";
// Most that are not known are new, and have no history that would be in the way.
const INSERT: &str = "
    INSERT INTO instances (
        hub, id, execution, name, version, status, updated, custom_status, output, tags, created,
        due, parent, partition
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (hub, id) DO NOTHING";
const REPLACE: &str = "
    UPDATE instances SET
        execution = ?3, name = ?4, version = ?5, status = ?6, updated = ?7, custom_status = ?8,
        output = ?9, tags = ?10, created = ?11, due = ?12, parent = ?13, partition = ?14
    WHERE hub = ?1 AND id = ?2
    RETURNING key";
// Its history goes with it.
const DELETE: &str = "DELETE FROM instances WHERE hub = ?1 AND id = ?2";
const HAS_KEY: &str = "SELECT 1 FROM instances WHERE key = ?1 AND id = ?2 AND hub = ?3";
const FIND: &str = "SELECT key FROM instances WHERE hub = ?1 AND id = ?2";

/// Writes `deltas`, or nothing.
pub(super) fn commit(
    transaction: &Transaction<'_>,
    hub: i64,
    keys: &mut HubKeys,
    deltas: &[Delta],
) -> Result<(), Fault> {
    check_epochs(transaction, hub, deltas)?;
    let mut writer = InstanceWriter::new(transaction, hub, keys);
    for delta in deltas {
        if !delta.consumed.is_empty() {
            inbox::delete(transaction, hub, delta.partition, &delta.consumed)?;
        }
        for change in &delta.instances {
            writer.write(delta.partition, delta.epoch, change)?;
        }
        if !delta.outgoing.is_empty() {
            inbox::send(transaction, hub, delta.partition, &delta.outgoing)?;
        }
        if !delta.replies.is_empty() {
            inbox::reply(transaction, hub, &delta.replies)?;
        }
    }
    Ok(())
}

/// Inside the transaction, so that no lease can change hands before it ends.
fn check_epochs(transaction: &Transaction<'_>, hub: i64, deltas: &[Delta]) -> Result<(), Fault> {
    let mut read = transaction.prepare_cached(READ_EPOCH)?;
    let mut stale = BTreeSet::new();
    for delta in deltas {
        let current: Option<i64> = read
            .query_row((hub, delta.partition.0), |row| row.get(0))
            .optional()?;
        if current != Some(delta.epoch.0.cast_signed()) {
            stale.insert(delta.partition);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(StorageError::Fenced {
        partitions: stale.into_iter().collect(),
    }
    .into())
}

/// The statements that write instances, kept for a whole commit.
struct InstanceWriter<'a> {
    connection: &'a Connection,
    hub: i64,
    keys: &'a mut HubKeys,
    entities: EntityWriter<'a>,
    update: Statement<'a>,
    update_due: Statement<'a>,
    update_indexed: Statement<'a>,
    insert: Statement<'a>,
    replace: Statement<'a>,
    delete: Statement<'a>,
    has_key: Statement<'a>,
    find: Statement<'a>,
    history: HistoryWriter<'a>,
}

impl<'a> InstanceWriter<'a> {
    fn new(transaction: &'a Transaction<'_>, hub: i64, keys: &'a mut HubKeys) -> Self {
        Self {
            connection: transaction,
            hub,
            keys,
            entities: EntityWriter::new(transaction, hub),
            update: transaction.statement(UPDATE),
            update_due: transaction.statement(UPDATE_DUE),
            update_indexed: transaction.statement(UPDATE_INDEXED),
            insert: transaction.statement(INSERT),
            replace: transaction.statement(REPLACE),
            delete: transaction.statement(DELETE),
            has_key: transaction.statement(HAS_KEY),
            find: transaction.statement(FIND),
            history: HistoryWriter::new(transaction),
        }
    }

    fn write(
        &mut self,
        partition: PartitionId,
        epoch: Epoch,
        change: &InstanceDelta,
    ) -> Result<(), Fault> {
        match change {
            InstanceDelta::Upsert {
                record,
                reset_history,
                append,
            } => {
                let (key, is_new) = self.upsert(partition, epoch, record)?;
                if *reset_history && !is_new {
                    self.history.delete(key)?;
                }
                self.history.append(key, append, None)
            }
            InstanceDelta::Append {
                id,
                updated,
                append,
            } => {
                if let Some(key) = self.find(epoch, id)? {
                    self.history.append(key, append, Some(*updated))
                } else {
                    tracing::warn!(instance = %id, "the row of a running instance was deleted");
                    Ok(())
                }
            }
            InstanceDelta::Entity { record } => self.entities.upsert(partition, record),
            InstanceDelta::Delete { id } if is_entity(id) => self.entities.delete(id),
            InstanceDelta::Delete { id } => self.delete(id),
        }
    }

    /// Returns the row's key, and whether the row is new.
    fn upsert(
        &mut self,
        partition: PartitionId,
        epoch: Epoch,
        record: &InstanceRecord,
    ) -> Result<(i64, bool), Fault> {
        let row = EncodedRow::new(partition, record)?;
        if let Some(known) = self.keys.get(&record.id, epoch) {
            let params = row.params(&known.key);
            let Indexed {
                created,
                due,
                parent,
            } = &known.indexed;
            let changed = if *created != row.indexed.created || *parent != row.indexed.parent {
                self.update_indexed.get()?.execute(&params[..13])?
            } else if *due != row.indexed.due {
                self.update_due.get()?.execute(&params[..12])?
            } else {
                self.update.get()?.execute(&params[..10])?
            };
            if changed == 1 {
                known.indexed = row.indexed;
                return Ok((known.key, false));
            }
        }
        let params = row.params(&self.hub);
        let is_new = self.insert.get()?.execute(&params[..])? == 1;
        let key = if is_new {
            self.connection.last_insert_rowid()
        } else {
            let replace = self.replace.get()?;
            replace.query_row(&params[..], |row| row.get(0))?
        };
        let known = Known {
            key,
            epoch,
            indexed: row.indexed,
        };
        self.keys.insert(&record.id, known);
        Ok((key, is_new))
    }

    /// The key of a row that is there.
    fn find(&mut self, epoch: Epoch, id: &InstanceId) -> Result<Option<i64>, Fault> {
        if let Some(Known { key, .. }) = self.keys.get(id, epoch) {
            let has_key = self.has_key.get()?;
            if has_key.exists((*key, id.as_str(), self.hub))? {
                return Ok(Some(*key));
            }
        }
        let find = self.find.get()?;
        let key = find.query_row((self.hub, id.as_str()), |row| row.get(0));
        Ok(key.optional()?)
    }

    fn delete(&mut self, id: &InstanceId) -> Result<(), Fault> {
        self.keys.remove(id);
        self.delete.get()?.execute((self.hub, id.as_str()))?;
        Ok(())
    }
}

/// A record as the columns of `instances` take it.
struct EncodedRow<'a> {
    id: &'a str,
    execution: &'a [u8],
    name: &'a str,
    version: Option<&'a str>,
    status: &'static str,
    updated: i64,
    custom_status: Option<&'a str>,
    output: Option<&'a str>,
    tags: Option<String>,
    indexed: Indexed,
    parent: Option<&'a str>,
    partition: u32,
}

impl<'a> EncodedRow<'a> {
    fn new(partition: PartitionId, record: &'a InstanceRecord) -> Result<Self, Fault> {
        let tags = if record.tags.is_empty() {
            None
        } else {
            let text = serde_json::to_string(&record.tags)
                .map_err(|error| Fault::record(format_args!("instance {:?}", record.id), error))?;
            Some(text)
        };
        Ok(Self {
            id: record.id.as_str(),
            execution: record.execution.0.as_bytes(),
            name: &record.name,
            version: record.version.as_deref(),
            status: record.status.as_str(),
            updated: record.updated.timestamp_micros(),
            custom_status: record.custom_status.as_ref().map(Payload::as_json),
            output: record.output.as_ref().map(Payload::as_json),
            tags,
            indexed: Indexed {
                created: record.created.timestamp_micros(),
                due: record.due.map(Due::to_micros),
                parent: record.parent.clone(),
            },
            parent: record.parent.as_ref().map(InstanceId::as_str),
            partition: partition.0,
        })
    }

    /// The parameters of all statements: they differ in the first and in how many there are.
    fn params<'p>(&'p self, first: &'p i64) -> [&'p dyn ToSql; 14] {
        [
            first,
            &self.id,
            &self.execution,
            &self.name,
            &self.version,
            &self.status,
            &self.updated,
            &self.custom_status,
            &self.output,
            &self.tags,
            &self.indexed.created,
            &self.indexed.due,
            &self.parent,
            &self.partition,
        ]
    }
}
