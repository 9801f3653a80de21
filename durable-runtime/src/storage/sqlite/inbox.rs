//! Messages on their way, and replies to those of clients.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use rusqlite::OptionalExtension;

use super::error::Fault;
use super::hub::Hub;
use super::row;
use super::transaction::Transaction;
use crate::model::{
    Envelope, InboxMessage, MessageId, MessageOrigin, OutgoingMessage, PartitionId, Rejection,
    Reply, RequestId,
};
use crate::storage::StorageError;

const TAKE_NUMBERS: &str = "
    UPDATE leases SET enqueued = enqueued + ?3 WHERE hub = ?1 AND partition = ?2
    RETURNING enqueued";
// A message that is there already was inserted by a commit whose outcome nobody learned.
const INSERT: &str = "
    INSERT OR IGNORE INTO inbox (hub, partition, origin, number, message)
    VALUES (?1, ?2, ?3, ?4, ?5)";
const ANY: &str = "SELECT 1 FROM inbox WHERE hub = ?1 LIMIT 1";
const READ: &str = "
    SELECT origin, number, message FROM inbox WHERE hub = ?1 AND partition = ?2
    ORDER BY origin, number";
const COUNT: &str = "
    SELECT count(*) FROM (SELECT 1 FROM inbox WHERE hub = ?1 AND partition = ?2 LIMIT ?3)";
const DELETE: &str = "
    DELETE FROM inbox WHERE hub = ?1 AND partition = ?2 AND origin = ?3 AND number = ?4";
const READ_SENT: &str = "SELECT sent FROM leases WHERE hub = ?1 AND partition = ?2";
const WRITE_SENT: &str = "UPDATE leases SET sent = ?3 WHERE hub = ?1 AND partition = ?2";
const READ_REPLY: &str = "SELECT reply FROM replies WHERE hub = ?1 AND request = ?2";
const TAKE_REPLY: &str = "
    DELETE FROM replies WHERE hub = ?1 AND request = ?2 RETURNING reply";
const WRITE_REPLY: &str = "
    INSERT OR REPLACE INTO replies (hub, request, reply, at)
    VALUES (?1, ?2, ?3, unixepoch('now'))";
// Whoever asked an hour ago waits no longer.
const SWEEP_REPLIES: &str = "DELETE FROM replies WHERE at < unixepoch('now') - 3600";

/// One of this many commits with replies, about, removes those that nobody took.
const SWEEP_EVERY: u32 = 1000;

/// At most as many messages that cannot be read are remembered.
const REMEMBERED: usize = 10_000;

impl Hub {
    pub(super) fn insert_into_inboxes(&self, envelopes: &[Envelope]) -> Result<(), StorageError> {
        let mut by_partition: BTreeMap<PartitionId, Vec<&Envelope>> = BTreeMap::new();
        for envelope in envelopes {
            let partition = envelope.to.partition(self.partition_count);
            by_partition.entry(partition).or_default().push(envelope);
        }
        self.database.write(|transaction, _| {
            let mut take_numbers = transaction.prepare_cached(TAKE_NUMBERS)?;
            let mut insert = transaction.prepare_cached(INSERT)?;
            let client = row::origin_to_column(MessageOrigin::Client);
            for (partition, envelopes) in &by_partition {
                let count = i64::try_from(envelopes.len()).unwrap_or(i64::MAX);
                let last: i64 = take_numbers
                    .query_row((self.key, partition.0, count), |row| row.get(0))
                    .optional()?
                    .ok_or_else(|| {
                        let place = self.database.place();
                        place.unavailable("no longer holds the task hub: open it again")
                    })?;
                for (number, envelope) in (last - count + 1..).zip(envelopes) {
                    insert.execute((self.key, partition.0, client, number, encode(envelope)?))?;
                }
            }
            Ok(())
        })
    }

    /// A message that cannot be read, because it is damaged or a newer version of the runtime has
    /// sent it, stays where it is and is reported once. The others of its partition go on, and a
    /// newer owner of the partition can still take it up.
    pub(super) fn read_inboxes(
        &self,
        partitions: &[PartitionId],
    ) -> Result<Vec<InboxMessage>, StorageError> {
        self.database.read(|transaction| {
            let mut messages = Vec::new();
            // Looked at after every commit, and most often there is nothing in any.
            if !transaction.prepare_cached(ANY)?.exists([self.key])? {
                return Ok(messages);
            }
            let mut read = transaction.prepare_cached(READ)?;
            for &partition in partitions {
                let mut rows = read.query((self.key, partition.0))?;
                while let Some(row) = rows.next()? {
                    let number: i64 = row.get(1)?;
                    let id = MessageId {
                        origin: row::origin_from_column(row.get(0)?),
                        number: number.cast_unsigned(),
                    };
                    match serde_json::from_str(row.get_ref(2)?.as_str().unwrap_or_default()) {
                        Ok(envelope) => messages.push(InboxMessage {
                            partition,
                            id,
                            envelope,
                        }),
                        Err(error) => self.report_unreadable(partition, id, &error),
                    }
                }
            }
            Ok(messages)
        })
    }

    pub(super) fn count_inbox(
        &self,
        partition: PartitionId,
        at_most: usize,
    ) -> Result<usize, StorageError> {
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.database.read(|transaction| {
            let mut count = transaction.prepare_cached(COUNT)?;
            let count: i64 = count.query_row((self.key, partition.0, limit), |row| row.get(0))?;
            // It is not negative, and not above the limit.
            Ok(usize::try_from(count).unwrap_or(at_most))
        })
    }

    fn report_unreadable(&self, partition: PartitionId, id: MessageId, error: &serde_json::Error) {
        let mut unreadable = self
            .unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if unreadable.len() < REMEMBERED && unreadable.insert((partition, id)) {
            tracing::error!(
                place = %self.database.place(),
                %partition,
                ?id,
                %error,
                "a message in the inbox cannot be read and stays there; see the table `inbox`"
            );
        }
    }

    pub(super) fn remove_reply(
        &self,
        request: RequestId,
    ) -> Result<Option<Result<Reply, Rejection>>, StorageError> {
        let key = (self.key, request.0.as_bytes());
        // Most often there is none yet, and looking does not disturb the writer.
        let given = self
            .database
            .read(|transaction| Ok(transaction.prepare_cached(READ_REPLY)?.exists(key)?))?;
        if !given {
            return Ok(None);
        }
        self.database.write(|transaction, _| {
            let text: Option<String> = transaction
                .prepare_cached(TAKE_REPLY)?
                .query_row(key, |row| row.get(0))
                .optional()?;
            text.map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|error| Fault::record(format_args!("the reply to {request}"), error))
        })
    }
}

/// Deletes messages that were dealt with.
pub(super) fn delete(
    transaction: &Transaction<'_>,
    hub: i64,
    partition: PartitionId,
    messages: &[MessageId],
) -> Result<(), Fault> {
    let mut delete = transaction.prepare_cached(DELETE)?;
    for id in messages {
        let origin = row::origin_to_column(id.origin);
        delete.execute((hub, partition.0, origin, id.number.cast_signed()))?;
    }
    Ok(())
}

/// Inserts messages that the partition `from` sends. One whose number is not above all that the
/// partition has sent before is a repetition: its receiver may have taken and deleted it meanwhile,
/// so that its absence says nothing.
pub(super) fn send(
    transaction: &Transaction<'_>,
    hub: i64,
    from: PartitionId,
    messages: &[OutgoingMessage],
) -> Result<(), Fault> {
    let sent_before: i64 = transaction
        .prepare_cached(READ_SENT)?
        .query_row((hub, from.0), |row| row.get(0))?;
    let mut sent = sent_before;
    let mut insert = transaction.prepare_cached(INSERT)?;
    for OutgoingMessage { to, id, envelope } in messages {
        let number = id.number.cast_signed();
        if id.origin == MessageOrigin::Partition(from) {
            if number <= sent_before {
                continue;
            }
            sent = sent.max(number);
        }
        let origin = row::origin_to_column(id.origin);
        insert.execute((hub, to.0, origin, number, encode(envelope)?))?;
    }
    if sent != sent_before {
        transaction
            .prepare_cached(WRITE_SENT)?
            .execute((hub, from.0, sent))?;
    }
    Ok(())
}

/// Inserts replies, and now and then removes those that nobody took.
pub(super) fn reply(
    transaction: &Transaction<'_>,
    hub: i64,
    replies: &[(RequestId, Result<Reply, Rejection>)],
) -> Result<(), Fault> {
    let mut write = transaction.prepare_cached(WRITE_REPLY)?;
    for (request, reply) in replies {
        let text = serde_json::to_string(reply).map_err(|error| Fault::record("a reply", error))?;
        write.execute((hub, request.0.as_bytes(), text))?;
    }
    // Request ids are random, so they can serve as dice.
    if replies
        .iter()
        .any(|(request, _)| request.0.as_fields().0.is_multiple_of(SWEEP_EVERY))
    {
        transaction.prepare_cached(SWEEP_REPLIES)?.execute([])?;
    }
    Ok(())
}

fn encode(envelope: &Envelope) -> Result<String, Fault> {
    serde_json::to_string(envelope)
        .map_err(|error| Fault::record(format_args!("a message to {:?}", envelope.to), error))
}
