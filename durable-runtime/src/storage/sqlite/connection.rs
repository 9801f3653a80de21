//! Opening connections, each for its purpose.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{Fault, Place};
use super::schema;
use crate::clock;
use crate::storage::StorageError;

/// How long to wait for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Enough for every statement that this provider has.
const STATEMENTS: usize = 64;

/// Opens the connection that writes, after it has checked whose database it is and brought its
/// schema up to date.
pub(super) fn open_writer(place: &Place) -> Result<Connection, Fault> {
    check_place(place)?;
    let mut connection = open(place, OpenFlags::SQLITE_OPEN_CREATE)?;
    let up_to_date = schema::check(&mut connection, place)?;
    if connection.is_readonly("main")? {
        return Err(place
            .unavailable("cannot be written to: check its permissions")
            .into());
    }
    // A commit writes each page that it changes, mostly for one row of a few hundred bytes. Of use only
    // for a database that is still empty, and before anything else is written.
    connection.pragma_update(None, "page_size", 4096)?;
    if place.path().is_some() {
        switch_to_wal(&connection)?;
    }
    // A commit is on the disk when it returns.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints are made by a thread of their own.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // What one long reader made of the log goes back to the disk's free space.
    connection.pragma_update(None, "journal_size_limit", 256 << 20)?;
    connection.pragma_update(None, "cache_size", -(64 << 10))?;
    if !up_to_date {
        schema::migrate(&mut connection, place)?;
    }
    if place.path().is_some() {
        // The first look into the database opens the log: in a file that had none, the switch has only said
        // that there will be one.
        connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))?;
    }
    Ok(connection)
}

/// Opens a connection for queries.
pub(super) fn open_reader(place: &Place) -> Result<Connection, Fault> {
    let connection = open(place, OpenFlags::empty())?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Opens the connection that makes checkpoints, which never waits for anyone for long.
pub(super) fn open_checkpointer(place: &Place) -> Result<Connection, Fault> {
    let connection = open(place, OpenFlags::empty())?;
    connection.busy_timeout(Duration::from_millis(50))?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn open(place: &Place, flags: OpenFlags) -> Result<Connection, Fault> {
    let mut connection = match place {
        Place::File(path) => Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | flags,
        )?,
        Place::Memory => Connection::open_in_memory()?,
    };
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // SQLite's own handler soon looks only ten times a second, and waits for several commits at least.
    connection.busy_handler(Some(wait_a_moment()))?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Waits for a moment, and for [`BUSY_TIMEOUT`] in all.
fn wait_a_moment() -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = clock::instant();
    move |tries| {
        if tries == 0 {
            since = clock::instant();
        }
        let pause = if tries < 50 { 100 } else { 1000 };
        std::thread::sleep(Duration::from_micros(pause));
        since.elapsed() < BUSY_TIMEOUT
    }
}

/// Refuses what `SQLite` would not tell from a database.
pub(super) fn check_place(place: &Place) -> Result<(), StorageError> {
    let Some(path) = place.path() else {
        return Ok(());
    };
    if path.is_dir() {
        return Err(StorageError::NotOurs {
            place: place.to_string(),
            message: "it is a directory".into(),
        });
    }
    // SQLite takes a file of a single byte for an empty one and would write over it.
    if path.metadata().is_ok_and(|metadata| metadata.len() == 1) {
        return Err(StorageError::NotOurs {
            place: place.to_string(),
            message: "it is not a SQLite database".into(),
        });
    }
    if path.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        // SQLite would take it for a new one, and throw the log away.
        let log = format!("{}-wal", path.display());
        if Path::new(&log).metadata().is_ok_and(|log| log.len() > 0) {
            return Err(place.corrupt(format_args!(
                "it is empty, and the log that belongs to it, {log}, is not (to begin anew, remove \
                 both)"
            )));
        }
    }
    match path.parent() {
        Some(directory) if !directory.is_dir() => Err(StorageError::Unavailable {
            message: format!(
                "directory {} does not exist: create it, or name another file",
                directory.display()
            ),
        }),
        _ => Ok(()),
    }
}

/// The switch needs the database to itself. While two processes both want it, `SQLite` answers that
/// it is busy without asking the busy handler, lest they wait for each other.
fn switch_to_wal(connection: &Connection) -> Result<(), Fault> {
    let mut wait = wait_a_moment();
    let mut tries = 0;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => {
                return Err(StorageError::Unavailable {
                    message: format!(
                        "the file system does not support a write-ahead log (SQLite stays in mode \
                         {mode:?}): put the file on a local disk"
                    ),
                }
                .into());
            }
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && wait(tries) =>
            {
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_syncs_every_commit_and_leaves_checkpoints_to_others() {
        let writer = open_writer(&Place::Memory).unwrap();
        let number = |pragma| {
            writer
                .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert_eq!(number("synchronous"), 2);
        assert_eq!(number("wal_autocheckpoint"), 0);
        assert_eq!(number("foreign_keys"), 0);
        assert_eq!(number("page_size"), 4096);
    }
}
