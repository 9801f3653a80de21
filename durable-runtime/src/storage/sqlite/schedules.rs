//! The schedules of timer functions, and the leases that workers have on them and on messages.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row};

use super::hub::Hub;
use super::leases::{milliseconds, now};
use super::transaction::Transaction;
use crate::model::WorkerId;
use crate::storage::{Schedule, ScheduleClaim, ScheduleTurn, StorageError};

const FIND: &str = "SELECT since, last FROM schedules WHERE hub = ?1 AND name = ?2 AND cron = ?3";
// Another schedule under the same name begins anew; who carries out the old one goes on.
const CREATE: &str = "
    INSERT INTO schedules (hub, name, cron, since)
    SELECT key, ?2, ?3, ?4 FROM hubs WHERE key = ?1
    ON CONFLICT (hub, name) DO UPDATE SET cron = ?3, since = ?4 WHERE cron != ?3";
const CLAIM: &str = concat!(
    "UPDATE schedules SET claimed = ?3, owner = ?4, expires = ?5 + ",
    now!(),
    " WHERE hub = ?1 AND name = ?2 AND (last IS NULL OR last < ?3)
         AND (owner IS NULL OR owner = ?4 OR expires <= ",
    now!(),
    ") RETURNING last"
);
const TURN: &str = concat!(
    "SELECT last, expires - ",
    now!(),
    " FROM schedules WHERE hub = ?1 AND name = ?2"
);
const END: &str = "
    UPDATE schedules SET claimed = NULL, owner = NULL, last = iif(?5, ?3, last)
    WHERE hub = ?1 AND name = ?2 AND claimed = ?3 AND owner = ?4";
const RENEW_SCHEDULES: &str = concat!(
    "UPDATE schedules SET expires = ?3 + ",
    now!(),
    " WHERE hub = ?1 AND owner = ?2"
);
const RENEW_MESSAGES: &str = concat!(
    "UPDATE queue_messages SET visible = ?3 + ",
    now!(),
    " WHERE hub = ?1 AND owner = ?2"
);

const FREE_SCHEDULES: &str =
    "UPDATE schedules SET claimed = NULL, owner = NULL WHERE hub = ?1 AND owner = ?2";
const FREE_MESSAGES: &str = concat!(
    "UPDATE queue_messages SET owner = NULL, visible = ",
    now!(),
    " WHERE hub = ?1 AND owner = ?2"
);

/// Gives what a worker that is gone had of schedules and messages to whoever asks.
pub(super) fn free_claims(
    transaction: &Transaction<'_>,
    hub: i64,
    worker: &str,
) -> Result<(), rusqlite::Error> {
    for free in [FREE_SCHEDULES, FREE_MESSAGES] {
        transaction.prepare_cached(free)?.execute((hub, worker))?;
    }
    Ok(())
}

impl Hub {
    pub(super) fn find_or_create_schedule(
        &self,
        name: &str,
        cron: &str,
        now: DateTime<Utc>,
    ) -> Result<Schedule, StorageError> {
        let key = (self.key, name, cron);
        let found = self.database.read(|transaction| {
            let mut find = transaction.prepare_cached(FIND)?;
            Ok(find.query_row(key, schedule).optional()?)
        })?;
        if let Some(found) = found {
            return Ok(found);
        }
        self.database.write(|transaction, _| {
            transaction.prepare_cached(CREATE)?.execute((
                self.key,
                name,
                cron,
                now.timestamp_micros(),
            ))?;
            let mut find = transaction.prepare_cached(FIND)?;
            find.query_row(key, schedule).optional()?.ok_or_else(|| {
                let place = self.database.place();
                place
                    .unavailable("no longer holds the task hub: open it again")
                    .into()
            })
        })
    }

    pub(super) fn claim_schedule(
        &self,
        claim: &ScheduleClaim<'_>,
        lease: Duration,
    ) -> Result<ScheduleTurn, StorageError> {
        let ScheduleClaim { name, worker, due } = claim;
        let due = due.timestamp_micros();
        self.database.write(|transaction, _| {
            let what = (self.key, name, due, &worker.0, milliseconds(lease));
            let claimed: Option<Option<i64>> = transaction
                .prepare_cached(CLAIM)?
                .query_row(what, |row| row.get(0))
                .optional()?;
            if let Some(last) = claimed {
                let last = last.map(time);
                return Ok(ScheduleTurn::Taken { last });
            }
            let turn: Option<(Option<i64>, i64)> = transaction
                .prepare_cached(TURN)?
                .query_row((self.key, name), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(match turn {
                None => ScheduleTurn::Gone,
                Some((Some(last), _)) if last >= due => ScheduleTurn::Done { last: time(last) },
                Some((_, rest)) => ScheduleTurn::Busy {
                    lease: Duration::from_millis(u64::try_from(rest).unwrap_or_default() + 1),
                },
            })
        })
    }

    pub(super) fn end_claim(
        &self,
        claim: &ScheduleClaim<'_>,
        done: bool,
    ) -> Result<bool, StorageError> {
        let ScheduleClaim { name, worker, due } = claim;
        self.database.write(|transaction, _| {
            let ended = transaction.prepare_cached(END)?.execute((
                self.key,
                name,
                due.timestamp_micros(),
                &worker.0,
                done,
            ))?;
            Ok(ended > 0)
        })
    }

    pub(super) fn renew_claims(
        &self,
        worker: &WorkerId,
        lease: Duration,
    ) -> Result<(), StorageError> {
        let what = (self.key, &worker.0, milliseconds(lease));
        self.database.write(|transaction, _| {
            transaction.prepare_cached(RENEW_SCHEDULES)?.execute(what)?;
            transaction.prepare_cached(RENEW_MESSAGES)?.execute(what)?;
            Ok(())
        })
    }
}

fn schedule(row: &Row<'_>) -> Result<Schedule, rusqlite::Error> {
    let last: Option<i64> = row.get(1)?;
    Ok(Schedule {
        since: time(row.get(0)?),
        last: last.map(time),
    })
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
