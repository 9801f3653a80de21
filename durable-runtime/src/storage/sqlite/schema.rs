//! Whose database it is, and in which version of the schema.

use rusqlite::{Connection, TransactionBehavior};

use super::error::{Fault, Place};
use crate::storage::StorageError;

/// In the file's header: a task hub database ("Durb").
const APPLICATION_ID: i64 = 0x4475_7262;

/// One script per version of the schema, in order. A script that was published never changes.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_entities.sql"),
    include_str!("migrations/0003_triggers.sql"),
    include_str!("migrations/0004_settings.sql"),
    include_str!("migrations/0005_episodes.sql"),
];

/// The version that the last migration leads to.
const KNOWN_VERSION: u32 = 5;

const _: () = assert!(MIGRATIONS.len() == KNOWN_VERSION as usize);

/// Refuses a database that is somebody else's or from the future, without changing anything. Returns
/// whether the schema is up to date.
pub(super) fn check(connection: &mut Connection, place: &Place) -> Result<bool, Fault> {
    // One transaction, for another process may be creating the schema.
    let transaction = connection.transaction()?;
    let version = version(&transaction, place)?;
    transaction.finish()?;
    if version > KNOWN_VERSION {
        return Err(StorageError::NewerSchema {
            place: place.to_string(),
            found: version,
            known: KNOWN_VERSION,
        }
        .into());
    }
    Ok(version == KNOWN_VERSION)
}

/// Brings the schema up to date. Of several processes that do so at once, one does the work.
pub(super) fn migrate(connection: &mut Connection, place: &Place) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = version(&transaction, place)?;
    if from < KNOWN_VERSION {
        for script in MIGRATIONS.iter().skip(from as usize) {
            transaction.execute_batch(script)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", KNOWN_VERSION)?;
    }
    Ok(transaction.commit()?)
}

/// The schema's version; 0 for an empty database.
fn version(connection: &Connection, place: &Place) -> Result<u32, Fault> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id")?;
    let version = number("user_version")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == APPLICATION_ID {
        return u32::try_from(version).map_err(|_| {
            place
                .corrupt(format_args!("its schema version is {version}"))
                .into()
        });
    }
    if application == 0 && tables == 0 {
        return Ok(0);
    }
    Err(StorageError::NotOurs {
        place: place.to_string(),
        message: format!(
            "it is a SQLite database of another program, with {tables} tables, indexes and views"
        ),
    }
    .into())
}
