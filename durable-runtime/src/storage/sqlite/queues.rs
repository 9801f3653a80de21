//! Durable queues. The clock is `SQLite`'s, in milliseconds.

use std::time::Duration;

use chrono::DateTime;
use rusqlite::{OptionalExtension, Row, params};

use super::error::Fault;
use super::hub::Hub;
use super::leases::{milliseconds, now};
use super::transaction::Transaction;
use crate::clock;
use crate::model::{Payload, QueueName, WorkerId};
use crate::storage::{
    QueueMessage, Settled, Settlement, StorageError, TakeMessages, TakenMessages,
};

// Not into a hub that has been deleted.
const PUSH: &str = concat!(
    "INSERT INTO queue_messages (hub, queue, enqueued, visible, body) SELECT key, ?2, ?3, ",
    now!(),
    ", ?4 FROM hubs WHERE key = ?1"
);
const VISIBLE: &str = concat!(
    "SELECT key FROM queue_messages WHERE hub = ?1 AND queue = ?2 AND visible <= ",
    now!(),
    " ORDER BY visible, key LIMIT ?3"
);
const FIRST: &str = concat!(
    "SELECT key, visible - ",
    now!(),
    " FROM queue_messages WHERE hub = ?1 AND queue = ?2 ORDER BY key LIMIT 1"
);
const NEXT_VISIBLE: &str = concat!(
    "SELECT visible - ",
    now!(),
    " FROM queue_messages WHERE hub = ?1 AND queue = ?2 ORDER BY visible LIMIT 1"
);
const TAKE: &str = concat!(
    "UPDATE queue_messages SET owner = ?2, attempts = attempts + 1, visible = ?3 + ",
    now!(),
    " WHERE key = ?1 RETURNING key, body, enqueued, attempts, error"
);
const DONE: &str = "
    DELETE FROM queue_messages WHERE key = ?1 AND hub = ?2 AND owner = ?3 AND attempts = ?4";
const AGAIN: &str = concat!(
    "UPDATE queue_messages SET owner = NULL, error = ?6, visible = ?5 + ",
    now!(),
    " WHERE key = ?1 AND hub = ?2 AND owner = ?3 AND attempts = ?4"
);
const RETURNED: &str = concat!(
    "UPDATE queue_messages SET owner = NULL, attempts = attempts - 1, visible = ",
    now!(),
    " WHERE key = ?1 AND hub = ?2 AND owner = ?3 AND attempts = ?4"
);
const MOVED: &str = concat!(
    "UPDATE queue_messages
     SET queue = ?5, owner = NULL, attempts = 0, error = ?6, visible = ",
    now!(),
    " WHERE key = ?1 AND hub = ?2 AND owner = ?3 AND attempts = ?4"
);
const LENGTH: &str = "SELECT count(*) FROM queue_messages WHERE hub = ?1 AND queue = ?2";
const PEEK: &str = "
    SELECT key, body, enqueued, attempts, error FROM queue_messages
    WHERE hub = ?1 AND queue = ?2 ORDER BY key LIMIT ?3";
const MOVE_ALL: &str = concat!(
    "UPDATE queue_messages
     SET queue = ?3, owner = NULL, attempts = 0, error = NULL, visible = ",
    now!(),
    " WHERE hub = ?1 AND queue = ?2 AND (owner IS NULL OR visible <= ",
    now!(),
    ")"
);

impl Hub {
    pub(super) fn insert_messages(
        &self,
        queue: &QueueName,
        messages: &[Payload],
    ) -> Result<(), StorageError> {
        let enqueued = clock::now().timestamp_micros();
        self.database.write(|transaction, _| {
            let mut push = transaction.prepare_cached(PUSH)?;
            for message in messages {
                let body = message.as_json();
                let pushed = push.execute((self.key, queue.as_str(), enqueued, body))?;
                if pushed == 0 {
                    let place = self.database.place();
                    return Err(place
                        .unavailable("no longer holds the task hub: open it again")
                        .into());
                }
            }
            Ok(())
        })
    }

    pub(super) fn take_from_queue(
        &self,
        request: &TakeMessages<'_>,
    ) -> Result<TakenMessages, StorageError> {
        // Most often there is nothing to be had, and looking does not wait for anybody.
        let found = self
            .database
            .read(|transaction| Ok(Found::look(transaction, self.key, request)?))?;
        if found.keys.is_empty() {
            return Ok(TakenMessages {
                messages: Vec::new(),
                more_in: found.more_in,
            });
        }
        self.database.write(|transaction, _| {
            let found = Found::look(transaction, self.key, request)?;
            let mut take = transaction.prepare_cached(TAKE)?;
            let mut messages = Vec::with_capacity(found.keys.len());
            for key in &found.keys {
                let owner = &request.worker.0;
                let taken = take.query_row((key, owner, milliseconds(request.lease)), |row| {
                    message(row)
                })?;
                messages.push(taken);
            }
            Ok(TakenMessages {
                messages,
                more_in: found.more_in,
            })
        })
    }

    pub(super) fn settle_in_queue(
        &self,
        worker: &WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<bool>, StorageError> {
        self.database.write(|transaction, _| {
            settlements
                .iter()
                .map(|settlement| settle(transaction, self.key, worker, settlement))
                .collect()
        })
    }

    pub(super) fn read_queue_length(&self, queue: &QueueName) -> Result<u64, StorageError> {
        self.database.read(|transaction| {
            let length: i64 = transaction
                .prepare_cached(LENGTH)?
                .query_row((self.key, queue.as_str()), |row| row.get(0))?;
            Ok(length.cast_unsigned())
        })
    }

    pub(super) fn read_queue(
        &self,
        queue: &QueueName,
        at_most: usize,
    ) -> Result<Vec<QueueMessage>, StorageError> {
        self.database.read(|transaction| {
            Ok(transaction
                .prepare_cached(PEEK)?
                .query_map((self.key, queue.as_str(), limit(at_most)), message)?
                .collect::<Result<_, _>>()?)
        })
    }

    pub(super) fn move_queue(&self, from: &QueueName, to: &QueueName) -> Result<u64, StorageError> {
        self.database.write(|transaction, _| {
            let moved = transaction.prepare_cached(MOVE_ALL)?.execute((
                self.key,
                from.as_str(),
                to.as_str(),
            ))?;
            Ok(u64::try_from(moved).unwrap_or(u64::MAX))
        })
    }
}

/// What a worker that asks can be given.
struct Found {
    keys: Vec<i64>,
    more_in: Option<Duration>,
}

impl Found {
    fn look(
        transaction: &Transaction<'_>,
        hub: i64,
        request: &TakeMessages<'_>,
    ) -> Result<Self, rusqlite::Error> {
        let queue = request.queue.as_str();
        if request.in_order {
            let first: Option<(i64, i64)> = transaction
                .prepare_cached(FIRST)?
                .query_row((hub, queue), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            return Ok(match first {
                None => Self::nothing(None),
                Some((_, wait)) if wait > 0 => Self::nothing(Some(wait)),
                Some((key, _)) => Self {
                    keys: vec![key],
                    more_in: None,
                },
            });
        }
        let keys: Vec<i64> = transaction
            .prepare_cached(VISIBLE)?
            .query_map((hub, queue, limit(request.at_most)), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if !keys.is_empty() {
            return Ok(Self {
                keys,
                more_in: None,
            });
        }
        let wait = transaction
            .prepare_cached(NEXT_VISIBLE)?
            .query_row((hub, queue), |row| row.get(0))
            .optional()?;
        Ok(Self::nothing(wait))
    }

    fn nothing(wait: Option<i64>) -> Self {
        // Rounded up: at that time it is to be had.
        let milliseconds = |wait: i64| u64::try_from(wait).unwrap_or_default() + 1;
        Self {
            keys: Vec::new(),
            more_in: wait.map(|wait| Duration::from_millis(milliseconds(wait))),
        }
    }
}

fn settle(
    transaction: &Transaction<'_>,
    hub: i64,
    worker: &WorkerId,
    settlement: &Settlement,
) -> Result<bool, Fault> {
    let Settlement {
        number,
        attempt,
        settled,
    } = settlement;
    let (key, worker) = (number.cast_signed(), &worker.0);
    let changed = match settled {
        Settled::Done => transaction
            .prepare_cached(DONE)?
            .execute((key, hub, worker, attempt))?,
        Settled::Again { delay, error } => transaction.prepare_cached(AGAIN)?.execute(params![
            key,
            hub,
            worker,
            attempt,
            milliseconds(*delay),
            error
        ])?,
        Settled::Returned => transaction
            .prepare_cached(RETURNED)?
            .execute((key, hub, worker, attempt))?,
        Settled::Moved { to, error } => transaction.prepare_cached(MOVED)?.execute(params![
            key,
            hub,
            worker,
            attempt,
            to.as_str(),
            error
        ])?,
    };
    Ok(changed > 0)
}

fn message(row: &Row<'_>) -> Result<QueueMessage, rusqlite::Error> {
    let number: i64 = row.get(0)?;
    let body: String = row.get(1)?;
    Ok(QueueMessage {
        number: number.cast_unsigned(),
        // What somebody has written there by hand goes the way of what does not fit its type.
        body: Payload::from_json(body.clone())
            .or_else(|_| Payload::encode(&body))
            .unwrap_or_else(|_| Payload::null()),
        enqueued: DateTime::from_timestamp_micros(row.get(2)?).unwrap_or_default(),
        attempt: row.get(3)?,
        error: row.get(4)?,
    })
}

fn limit(at_most: usize) -> i64 {
    i64::try_from(at_most).unwrap_or(i64::MAX)
}
