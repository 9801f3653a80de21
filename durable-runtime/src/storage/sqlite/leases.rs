//! Who owns which partition. The clock is `SQLite`'s, in milliseconds.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::OptionalExtension;

use super::error::{Fault, Place};
use super::hub::Hub;
use super::lock::Presence;
use super::schedules;
use super::transaction::Transaction;
use crate::model::{Epoch, PartitionId, WorkerId};
use crate::storage::{Lease, StorageError};

macro_rules! now {
    () => {
        "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)"
    };
}
pub(super) use now;

// An owner that is recorded as holding the lock is gone when this opening of the hub holds it (?2),
// unless it works through this opening itself (?3, a JSON array).
const FREE: &str = concat!(
    "SELECT partition, epoch, clean FROM leases
     WHERE hub = ?1 AND (
         owner IS NULL
         OR expires <= ",
    now!(),
    "
         OR (?2 AND locked AND owner NOT IN (SELECT value FROM json_each(?3)))
     )
     ORDER BY partition LIMIT ?4"
);
// As far as that is known by the lock.
const GONE: &str = "
    SELECT DISTINCT owner FROM leases
    WHERE hub = ?1 AND locked AND owner NOT IN (SELECT value FROM json_each(?2))";
const TAKE: &str = concat!(
    "UPDATE leases
     SET owner = ?3, locked = ?4, epoch = ?5, clean = 0, expires = ?6 + ",
    now!(),
    "
     WHERE hub = ?1 AND partition = ?2"
);
const PROLONG: &str = concat!(
    "UPDATE leases SET locked = ?3, expires = ?4 + ",
    now!(),
    "
     WHERE hub = ?1 AND owner = ?2
     RETURNING partition, epoch"
);
const GIVE_BACK: &str = "
    UPDATE leases SET owner = NULL, locked = 0, expires = 0, clean = 1
    WHERE hub = ?1 AND owner = ?2";
const ABANDON: &str = "UPDATE leases SET expires = 0 WHERE hub = ?1 AND owner = ?2";
const IS_OWNED: &str = concat!(
    "SELECT owner IS NOT NULL AND expires > ",
    now!(),
    " FROM leases WHERE hub = ?1 AND partition = ?2"
);

impl Hub {
    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn acquire_leases(
        &self,
        worker: &WorkerId,
        duration: Duration,
        at_most: usize,
    ) -> Result<Vec<Lease>, StorageError> {
        let mut presence = self.presence();
        let locked = presence.hold();
        let taken = self.database.write(|transaction, _| {
            let free = free(transaction, self.key, locked, presence.workers(), at_most)?;
            if locked {
                free_claims_of_gone(transaction, self.key, presence.workers())?;
            }
            let mut take = transaction.prepare_cached(TAKE)?;
            for lease in &free {
                take.execute((
                    self.key,
                    lease.partition.0,
                    &worker.0,
                    locked,
                    lease.epoch.0.cast_signed(),
                    milliseconds(duration),
                ))?;
            }
            Ok(free)
        });
        if taken.as_ref().is_ok_and(|leases| !leases.is_empty()) {
            presence.arrived(worker);
        }
        presence.leave_if_empty();
        taken
    }

    pub(super) fn renew_leases(
        &self,
        worker: &WorkerId,
        duration: Duration,
    ) -> Result<Vec<(PartitionId, Epoch)>, StorageError> {
        let mut presence = self.presence();
        let locked = presence.hold();
        let renewed = self.database.write(|transaction, _| {
            Ok(transaction
                .prepare_cached(PROLONG)?
                .query_map(
                    (self.key, &worker.0, locked, milliseconds(duration)),
                    |row| {
                        let epoch: i64 = row.get(1)?;
                        Ok((PartitionId(row.get(0)?), Epoch(epoch.cast_unsigned())))
                    },
                )?
                .collect::<Result<Vec<_>, _>>()?)
        });
        match &renewed {
            Ok(leases) if leases.is_empty() => presence.left(worker),
            Ok(_) => presence.arrived(worker),
            Err(_) => presence.leave_if_empty(),
        }
        renewed
    }

    pub(super) fn release_leases(&self, worker: &WorkerId) -> Result<(), StorageError> {
        let mut presence = self.presence();
        self.database.write(|transaction, _| {
            transaction
                .prepare_cached(GIVE_BACK)?
                .execute((self.key, &worker.0))?;
            Ok(())
        })?;
        presence.left(worker);
        Ok(())
    }

    pub(super) fn has_owner(&self, partition: PartitionId) -> Result<bool, StorageError> {
        self.database.read(|transaction| {
            Ok(transaction
                .prepare_cached(IS_OWNED)?
                .query_row((self.key, partition.0), |row| row.get(0))
                .optional()?
                .unwrap_or(false))
        })
    }
}

/// The lock of a file is given up by itself; in memory nothing else tells that the workers are gone.
impl Drop for Hub {
    fn drop(&mut self) {
        if *self.database.place() != Place::Memory {
            return;
        }
        let presence = self.presence();
        for worker in presence.workers() {
            let abandoned = self.database.write(|transaction, _| {
                schedules::free_claims(transaction, self.key, worker)?;
                Ok(transaction
                    .prepare_cached(ABANDON)?
                    .execute((self.key, worker))?)
            });
            if let Err(error) = abandoned {
                tracing::debug!(%error, worker, "its leases have to run out");
            }
        }
    }
}

/// The leases that can be had, with the epochs that they are to have.
fn free(
    transaction: &Transaction<'_>,
    hub: i64,
    locked: bool,
    present: &BTreeSet<String>,
    at_most: usize,
) -> Result<Vec<Lease>, Fault> {
    let present = encode(present)?;
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let leases = transaction
        .prepare_cached(FREE)?
        .query_map((hub, locked, present, at_most), |row| {
            let epoch: i64 = row.get(1)?;
            Ok(Lease {
                partition: PartitionId(row.get(0)?),
                epoch: Epoch(epoch.cast_unsigned() + 1),
                clean: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(leases)
}

/// Gives what workers that are gone were working on to whoever asks. To be called by the one who holds the
/// lock, before it takes their leases.
fn free_claims_of_gone(
    transaction: &Transaction<'_>,
    hub: i64,
    present: &BTreeSet<String>,
) -> Result<(), Fault> {
    let gone: Vec<String> = transaction
        .prepare_cached(GONE)?
        .query_map((hub, encode(present)?), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for worker in gone {
        schedules::free_claims(transaction, hub, &worker)?;
    }
    Ok(())
}

fn encode(workers: &BTreeSet<String>) -> Result<String, Fault> {
    serde_json::to_string(workers).map_err(|error| Fault::record("worker", error))
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    // Half the range, for the sum with the present is to stay an integer.
    i64::try_from(duration.as_millis()).map_or(i64::MAX / 2, |ms| ms.min(i64::MAX / 2))
}
