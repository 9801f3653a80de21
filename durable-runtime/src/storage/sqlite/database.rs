//! The connections to one database.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::checkpoint::{self, Checkpointer};
use super::connection;
use super::error::{Fault, Place};
use super::original::{Loss, Original};
use super::suspicion::Suspicion;
use super::transaction::Transaction;
use super::turnstile::Turnstile;
use super::watch::Changes;
use super::writer::{FairLock, Keys, Writer};
use crate::storage::StorageError;

/// How many idle connections for queries are kept.
const IDLE_READERS: usize = 4;

/// The connections to one database. They are closed in the order of the fields: the writer last, for
/// `SQLite` moves the log into the database and removes it when the last one closes.
#[derive(Debug)]
pub(super) struct Database {
    place: Place,
    _checkpointer: Option<Checkpointer>,
    idle_readers: Mutex<Vec<Connection>>,
    changes: Arc<Changes>,
    suspicion: Suspicion,
    /// `None` for a database in memory.
    original: Option<Arc<Original>>,
    writer: Arc<FairLock<Writer>>,
}

impl Database {
    pub(super) fn open(place: &Place) -> Result<Arc<Self>, StorageError> {
        Self::try_open(place)
            .map(Arc::new)
            .map_err(|fault| fault.at(place))
    }

    fn try_open(place: &Place) -> Result<Self, Fault> {
        let writer = Arc::new(FairLock::new(Writer {
            connection: connection::open_writer(place)?,
            turnstile: Turnstile::new(place.path()),
            keys: Keys::default(),
        }));
        let (original, checkpointer) = match place {
            Place::File(path) => {
                let original = Arc::new(Original::new(place, path)?);
                original.settle(&mut writer.lock().connection)?;
                let checkpointer = Checkpointer::start(place, path, &writer, &original)?;
                (Some(original), Some(checkpointer))
            }
            Place::Memory => (None, None),
        };
        Ok(Self {
            place: place.clone(),
            _checkpointer: checkpointer,
            idle_readers: Mutex::default(),
            changes: Arc::default(),
            suspicion: Suspicion::default(),
            original,
            writer,
        })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Changes of a database in memory. Those of a file are counted by `SQLite`.
    pub(super) fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// Runs `work` in a transaction that writes. It is committed when `work` succeeds, and rolled
    /// back otherwise.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Keys) -> Result<T, Fault>,
    ) -> Result<T, StorageError> {
        let mut writer = self.writer.lock();
        // Put back only when the database is known to be as they say.
        let mut keys = std::mem::take(&mut writer.keys);
        let outcome = transact(&mut writer, |transaction| work(transaction, &mut keys))
            .and_then(|result| self.check_original(&writer).map(|()| result));
        let unchanged = matches!(outcome, Err(Fault::Storage(StorageError::Fenced { .. })));
        if outcome.is_ok() || unchanged {
            writer.keys = keys;
        }
        drop(writer);
        if outcome.is_ok() && self.place.path().is_none() {
            self.changes.made();
        }
        outcome.map_err(|fault| self.report(fault))
    }

    /// Whether what was committed has gone to where the next process looks for it. If not, nothing that
    /// this process still has is to get into the files that are there now.
    fn check_original(&self, writer: &Writer) -> Result<(), Fault> {
        let Some(Err(loss)) = self.original.as_ref().map(|original| original.check()) else {
            return Ok(());
        };
        let Loss {
            error,
            can_be_rescued,
        } = loss;
        if can_be_rescued {
            // The database has all of it then, and the log, which nobody else can open, is of no use.
            match checkpoint::move_all(&writer.connection) {
                Ok(()) => {
                    tracing::warn!("what was in the deleted log has been moved into the database");
                }
                Err(fault) => {
                    let problem = fault.at(&self.place);
                    tracing::error!(%problem, "what was in the deleted log is lost");
                }
            }
        } else if !error.is_transient() {
            let leave_it = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            writer.connection.set_db_config(leave_it, true)?;
        }
        Err(error.into())
    }

    /// Runs `work` on one state of the database.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StorageError> {
        let outcome = match &self.place {
            Place::File(_) => self
                .with_reader(work)
                .and_then(|result| self.check_database().map(|()| result)),
            // A database in memory belongs to its connection.
            Place::Memory => look(&mut self.writer.lock().connection, work),
        };
        outcome.map_err(|fault| self.report(fault))
    }

    fn check_database(&self) -> Result<(), Fault> {
        match &self.original {
            Some(original) => Ok(original.check_database()?),
            None => Ok(()),
        }
    }

    /// The error to report for `fault`.
    pub(super) fn report(&self, fault: Fault) -> StorageError {
        // What goes wrong with a file that is not there any more goes wrong because of that.
        if let Fault::Sqlite(_) = &fault
            && let Err(Fault::Storage(lost @ StorageError::Lost { .. })) = self.check_database()
        {
            return lost;
        }
        if fault.looks_like_damage() && self.suspicion.is_fresh() {
            return self.place.unavailable(
                "seems to be damaged, or its disk does not give what is on it: check its disk",
            );
        }
        fault.at(&self.place)
    }

    pub(super) fn set_max_bytes(&self, bytes: u64) -> Result<(), StorageError> {
        let writer = self.writer.lock();
        let connection = &writer.connection;
        let set = || {
            let page_size: u64 = connection
                .pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0))?
                .into();
            // The most that SQLite knows.
            let pages = u32::try_from(bytes / page_size).map_or(u32::MAX - 1, |pages| pages.max(1));
            connection.pragma_update(None, "max_page_count", pages)?;
            Ok(())
        };
        set().map_err(|error: rusqlite::Error| Fault::from(error).at(&self.place))
    }

    fn with_reader<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let idle = self.idle_readers().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => connection::open_reader(&self.place)?,
        };
        // One that failed is closed: the next query begins afresh.
        let result = look(&mut reader, work)?;
        let mut idle = self.idle_readers();
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        Ok(result)
    }

    fn idle_readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle_readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn transact<T>(
    writer: &mut Writer,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let turn = writer.turnstile.enter();
    // Rolled back when it is dropped, also after a failed COMMIT.
    let transaction = Transaction::begin_immediate(&mut writer.connection)?;
    drop(turn);
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

fn look<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = Transaction::begin(connection)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}
