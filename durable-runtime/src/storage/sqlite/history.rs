//! The tables of history: `episodes`, and `other_history` for what that has no place for.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Row, params};

use super::error::Fault;
use super::transaction::{Statement, Transaction};
use crate::model::HistoryRow;

// A row is there already when a commit is repeated.
const APPEND: &str = "
    INSERT OR REPLACE INTO episodes (key, updated, events) VALUES (?1, ?2, ?3)";
const APPEND_OTHER: &str = "
    INSERT OR REPLACE INTO other_history (instance, sequence, events) VALUES (?1, ?2, ?3)";
const TOUCH: &str = "UPDATE instances SET updated = ?2 WHERE key = ?1";
const DELETE: &str = "
    DELETE FROM episodes WHERE key >= ?1 * 1048576 AND key < (?1 + 1) * 1048576";
const DELETE_OTHER: &str = "DELETE FROM other_history WHERE instance = ?1";

const READ: &str = "
    SELECT key & 0xFFFFF, events FROM episodes
    WHERE key >= ?1 * 1048576 AND key < (?1 + 1) * 1048576 ORDER BY key LIMIT ?2";
const READ_OTHER: &str = "
    SELECT sequence, events FROM other_history WHERE instance = ?1 ORDER BY sequence LIMIT ?2";

/// The bits of the number of a row in the key of `episodes`. A million rows are more than what an execution
/// should have, and leave room for the keys of eight million million instances.
const SEQUENCE_BITS: u32 = 20;

/// Writes history.
pub(super) struct HistoryWriter<'a> {
    append: Statement<'a>,
    append_other: Statement<'a>,
    touch: Statement<'a>,
    delete: Statement<'a>,
    delete_other: Statement<'a>,
}

impl<'a> HistoryWriter<'a> {
    pub(super) fn new(transaction: &'a Transaction<'_>) -> Self {
        Self {
            append: transaction.statement(APPEND),
            append_other: transaction.statement(APPEND_OTHER),
            touch: transaction.statement(TOUCH),
            delete: transaction.statement(DELETE),
            delete_other: transaction.statement(DELETE_OTHER),
        }
    }

    /// Adds `rows` to the history of the instance with the key `instance`, which was `updated` then unless its
    /// row says so.
    pub(super) fn append(
        &mut self,
        instance: i64,
        rows: &[HistoryRow],
        updated: Option<DateTime<Utc>>,
    ) -> Result<(), Fault> {
        let mut updated = updated.map(|updated| updated.timestamp_micros());
        for HistoryRow { sequence, events } in rows {
            if let Some(key) = key(instance, *sequence) {
                let statement = self.append.get()?;
                statement.execute(params![key, updated, events])?;
            } else {
                let statement = self.append_other.get()?;
                statement.execute(params![instance, sequence.cast_signed(), events])?;
                if let Some(updated) = updated.take() {
                    self.touch.get()?.execute((instance, updated))?;
                }
            }
        }
        Ok(())
    }

    /// Deletes the whole history of an instance.
    pub(super) fn delete(&mut self, instance: i64) -> Result<(), Fault> {
        self.delete.get()?.execute([instance])?;
        self.delete_other.get()?.execute([instance])?;
        Ok(())
    }
}

/// Reads history.
pub(super) struct HistoryReader<'a> {
    read: CachedStatement<'a>,
    read_other: CachedStatement<'a>,
}

impl<'a> HistoryReader<'a> {
    pub(super) fn new(transaction: &'a Transaction<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            read: transaction.prepare_cached(READ)?,
            read_other: transaction.prepare_cached(READ_OTHER)?,
        })
    }

    /// The whole history of an instance.
    pub(super) fn read(&mut self, instance: i64) -> Result<Vec<HistoryRow>, rusqlite::Error> {
        self.read_up_to(instance, -1)
    }

    /// Its first row.
    pub(super) fn first(&mut self, instance: i64) -> Result<Option<HistoryRow>, rusqlite::Error> {
        Ok(self.read_up_to(instance, 1)?.into_iter().next())
    }

    /// Up to `limit` rows of each table, or all for a negative one.
    fn read_up_to(
        &mut self,
        instance: i64,
        limit: i64,
    ) -> Result<Vec<HistoryRow>, rusqlite::Error> {
        let mut rows = Vec::new();
        for statement in [&mut self.read, &mut self.read_other] {
            for row in statement.query_map((instance, limit), history_row)? {
                rows.push(row?);
            }
        }
        // What each gives is in order, so this is quick.
        rows.sort_by_key(|row| row.sequence);
        Ok(rows)
    }
}

fn history_row(row: &Row<'_>) -> Result<HistoryRow, rusqlite::Error> {
    Ok(HistoryRow {
        sequence: row.get::<_, i64>(0)?.cast_unsigned(),
        events: row.get(1)?,
    })
}

/// The key in `episodes`, where it has a place for that row.
fn key(instance: i64, sequence: u64) -> Option<i64> {
    let sequence = i64::try_from(sequence).ok()?;
    let shifted = instance.checked_mul(1 << SEQUENCE_BITS)?;
    (sequence < 1 << SEQUENCE_BITS).then_some(shifted + sequence)
}
