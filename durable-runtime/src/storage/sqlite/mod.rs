//! A provider that keeps task hubs in a `SQLite` database.
//!
//! One file holds any number of hubs. Commits go through one connection, group by group; queries
//! have connections of their own and never wait for them. A file that several processes use at once
//! is safe: leases and epochs hold there as everywhere.

mod checkpoint;
mod commit;
mod connection;
mod database;
mod entities;
mod error;
mod history;
mod hub;
mod inbox;
mod leases;
mod lock;
mod log_file;
mod original;
mod queries;
mod queues;
mod row;
mod schedules;
mod schema;
mod settings;
mod suspicion;
mod transaction;
mod turnstile;
mod watch;
mod writer;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rusqlite::OptionalExtension;

use self::database::Database;
use self::error::{Fault, Place};
use self::hub::Hub;
use self::transaction::Transaction;
use super::{HubOptions, HubStorage, StorageError, StorageProvider};
use crate::model::TaskHubName;

/// Task hubs in a `SQLite` database: a file, or the memory of this process. Clones share the
/// connections.
///
/// The file can be read with the `sqlite3` command at any time; the views `instance_status`,
/// `history_events`, `entity_states` and `queues` are made for that. Beside it stand its write-ahead log
/// (`-wal`, `-shm`), which belongs to it, and empty files that processes lock to take turns (`-turn`)
/// and to show that they live (`-<hub>-lock`).
///
/// ```
/// use durable_runtime::model::TaskHubName;
/// use durable_runtime::storage::{HubOptions, Sqlite, StorageProvider};
///
/// let sqlite = Sqlite::in_memory()?;
/// let hub = sqlite.open_hub(&TaskHubName::new("orders")?, &HubOptions::default())?;
/// assert_eq!(hub.partition_count(), 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sqlite {
    database: Arc<Database>,
}

impl Sqlite {
    /// Opens the database in the file at `path`, creating it if there is none or it is empty.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotOurs`] when the file is something else,
    /// [`StorageError::NewerSchema`] when a newer version of the runtime wrote it,
    /// [`StorageError::Corrupt`] when it is damaged,
    /// [`StorageError::Unavailable`] when its directory does not exist, or the file cannot be
    /// written to.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        Self::options().open(path)
    }

    /// Options other than the default ones.
    pub fn options() -> SqliteOptions {
        SqliteOptions::default()
    }

    /// A new database in memory, which lives as long as a clone of this, or a hub opened from it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`] when there is no memory for it.
    pub fn in_memory() -> Result<Self, StorageError> {
        Ok(Self {
            database: Database::open(&Place::Memory)?,
        })
    }

    /// Changes the bound set with [`SqliteOptions::max_bytes`]. A bound below the present size
    /// stops the growth, but does not shrink the file.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`], [`StorageError::Corrupt`].
    pub fn set_max_bytes(&self, bytes: u64) -> Result<(), StorageError> {
        self.database.set_max_bytes(bytes)
    }

    fn hub(&self, name: &TaskHubName, key: i64, partition_count: u32) -> Arc<dyn HubStorage> {
        let database = Arc::clone(&self.database);
        Arc::new(Hub::new(database, key, name, partition_count))
    }
}

/// How a database is opened.
///
/// ```no_run
/// use durable_runtime::storage::Sqlite;
///
/// let sqlite = Sqlite::options().max_bytes(10 << 30).open("app.db")?;
/// # Ok::<(), durable_runtime::storage::StorageError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "options do nothing until something is opened with them"]
pub struct SqliteOptions {
    max_bytes: Option<u64>,
    existing: bool,
}

impl SqliteOptions {
    /// An upper bound for the size of the database in bytes, for writes through this provider.
    /// Commits that would go beyond fail with [`StorageError::Unavailable`], as on a full disk, and
    /// can be repeated when there is room. The write-ahead log comes on top. Without this, the disk
    /// is the bound.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Opens only a file that holds task hubs of this version already: for programs that look after
    /// those of others. They should not leave an empty file where its name was mistaken, nor bring one
    /// up to date that belongs to an older program.
    pub fn existing(mut self) -> Self {
        self.existing = true;
        self
    }

    /// Opens the database in the file at `path`, as [`Sqlite::open`] does.
    ///
    /// # Errors
    ///
    /// As [`Sqlite::open`]; with [`existing`](Self::existing) also [`StorageError::NotFound`] when
    /// there is no file, [`StorageError::NotOurs`] when it is empty, and
    /// [`StorageError::OlderSchema`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, StorageError> {
        let path = path.as_ref();
        // Absolute, so that a change of the working directory does not matter.
        let absolute = std::path::absolute(path).map_err(|error| StorageError::Unavailable {
            message: format!(
                "the path {} cannot be used ({error}): name another file",
                path.display()
            ),
        })?;
        let place = Place::File(absolute);
        if self.existing {
            check_existing(&place).map_err(|fault| fault.at(&place))?;
        }
        let sqlite = Sqlite {
            database: Database::open(&place)?,
        };
        if let Some(bytes) = self.max_bytes {
            sqlite.set_max_bytes(bytes)?;
        }
        Ok(sqlite)
    }
}

fn check_existing(place: &Place) -> Result<(), Fault> {
    let metadata = place.path().map(Path::metadata).transpose();
    match metadata {
        Ok(metadata)
            if metadata
                .as_ref()
                .is_some_and(|metadata| metadata.len() == 0) =>
        {
            return Err(StorageError::NotOurs {
                place: place.to_string(),
                message: "it is empty".into(),
            }
            .into());
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let place = place.to_string();
            return Err(StorageError::NotFound { place }.into());
        }
        Err(error) => {
            let message = format_args!("cannot be looked at: {error}");
            return Err(place.unavailable(message).into());
        }
    }
    // A directory, or a file that is no database, is told by the opening itself.
    connection::check_place(place)?;
    let mut reader = connection::open_reader(place)?;
    if schema::check(&mut reader, place)? {
        return Ok(());
    }
    let place = place.to_string();
    Err(StorageError::OlderSchema { place }.into())
}

const FIND_HUB: &str = "SELECT key, partitions FROM hubs WHERE name = ?1";
const LIST_HUBS: &str = "SELECT name FROM hubs ORDER BY name COLLATE NOCASE";
const CREATE_HUB: &str = "INSERT INTO hubs (name, partitions) VALUES (?1, ?2)";
const CREATE_LEASES: &str = "
    WITH RECURSIVE numbers (number) AS (
        VALUES (0) UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?2
    )
    INSERT INTO leases (hub, partition) SELECT ?1, number FROM numbers";
const DELETE_HUB: [&str; 9] = [
    "DELETE FROM instances WHERE hub = ?1",
    "DELETE FROM entities WHERE hub = ?1",
    "DELETE FROM inbox WHERE hub = ?1",
    "DELETE FROM replies WHERE hub = ?1",
    "DELETE FROM queue_messages WHERE hub = ?1",
    "DELETE FROM schedules WHERE hub = ?1",
    "DELETE FROM leases WHERE hub = ?1",
    "DELETE FROM settings WHERE hub = ?1",
    "DELETE FROM hubs WHERE key = ?1",
];

impl StorageProvider for Sqlite {
    fn open_hub(
        &self,
        name: &TaskHubName,
        options: &HubOptions,
    ) -> Result<Arc<dyn HubStorage>, StorageError> {
        // Most often it is there, and looking does not wait for anybody.
        let found = self
            .database
            .read(|transaction| find_hub(transaction, name))?;
        let (key, partition_count) = match found {
            Some(found) => found,
            None => self.database.write(|transaction, _| {
                let partition_count = options.partition_count.max(1);
                find_or_create_hub(transaction, name, partition_count)
            })?,
        };
        Ok(self.hub(name, key, partition_count))
    }

    fn find_hub(&self, name: &TaskHubName) -> Result<Option<Arc<dyn HubStorage>>, StorageError> {
        let found = self
            .database
            .read(|transaction| find_hub(transaction, name))?;
        Ok(found.map(|(key, partition_count)| self.hub(name, key, partition_count)))
    }

    fn hubs(&self) -> Result<Vec<String>, StorageError> {
        self.database.read(|transaction| {
            let names = transaction
                .prepare_cached(LIST_HUBS)?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(names)
        })
    }

    fn delete_hub(&self, name: &TaskHubName) -> Result<bool, StorageError> {
        self.database.write(|transaction, keys| {
            let Some((key, _)) = find_hub(transaction, name)? else {
                return Ok(false);
            };
            for statement in DELETE_HUB {
                transaction.prepare_cached(statement)?.execute([key])?;
            }
            keys.forget(key);
            Ok(true)
        })
    }
}

/// The hub's key and its number of partitions.
fn find_hub(
    transaction: &Transaction<'_>,
    name: &TaskHubName,
) -> Result<Option<(i64, u32)>, Fault> {
    Ok(transaction
        .prepare_cached(FIND_HUB)?
        .query_row([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

fn find_or_create_hub(
    transaction: &Transaction<'_>,
    name: &TaskHubName,
    partition_count: u32,
) -> Result<(i64, u32), Fault> {
    if let Some(found) = find_hub(transaction, name)? {
        return Ok(found);
    }
    transaction
        .prepare_cached(CREATE_HUB)?
        .execute((name.as_str(), partition_count))?;
    let key = transaction.last_insert_rowid();
    transaction
        .prepare_cached(CREATE_LEASES)?
        .execute((key, partition_count))?;
    Ok((key, partition_count))
}
