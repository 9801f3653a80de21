//! What `SQLite` reports, as a [`StorageError`] that says what helps.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::storage::StorageError;

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file, by its absolute path.
    File(PathBuf),
    /// The memory of this process.
    Memory,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => fmt::Display::fmt(&path.display(), f),
            Self::Memory => f.write_str("the SQLite database in memory"),
        }
    }
}

impl Place {
    /// The file's path.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory => None,
        }
    }

    /// What the database holds is not what this program wrote.
    pub(super) fn corrupt(&self, message: impl fmt::Display) -> StorageError {
        StorageError::Corrupt {
            place: self.to_string(),
            message: message.to_string(),
        }
    }

    /// For a while.
    pub(super) fn unavailable(&self, message: impl fmt::Display) -> StorageError {
        StorageError::Unavailable {
            message: format!("{self} {message}"),
        }
    }
}

/// What stops an operation on a connection, before it is known which database it was.
#[derive(Debug)]
pub(super) enum Fault {
    /// `SQLite` says so.
    Sqlite(rusqlite::Error),
    /// The operation itself says so.
    Storage(StorageError),
    /// A record that cannot be read.
    Record {
        /// Which.
        what: String,
        /// Why not.
        message: String,
    },
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl Fault {
    /// `what` cannot be read.
    pub(super) fn record(what: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::Record {
            what: what.to_string(),
            message: message.to_string(),
        }
    }

    /// Whether `SQLite` says that the file is damaged. It says so too when the disk fails to give a page.
    pub(super) fn looks_like_damage(&self) -> bool {
        matches!(self, Self::Sqlite(error)
            if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt))
    }

    /// The error to report for the database at `place`.
    pub(super) fn at(self, place: &Place) -> StorageError {
        match self {
            Self::Sqlite(error) => classify(&error, place),
            Self::Storage(error) => error,
            Self::Record { what, message } => StorageError::Corrupt {
                place: format!("{what} in {place}"),
                message,
            },
        }
    }
}

fn classify(error: &rusqlite::Error, place: &Place) -> StorageError {
    let Some(code) = error.sqlite_error_code() else {
        // A value of another type than its column has, or a statement that does not fit the schema.
        return place.corrupt(error);
    };
    let advice = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "has been locked by another process for too long: end what holds it"
        }
        ErrorCode::DiskFull => {
            "cannot grow: free space on its disk, or raise its limit (`Sqlite::set_max_bytes`)"
        }
        ErrorCode::SystemIoFailure => {
            "cannot be read or written: check its disk, whether it may be written to and whether \
             there is quota left"
        }
        ErrorCode::CannotOpen => {
            "cannot be opened: check that its directory is there and may be written to"
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            "cannot be written to: check its permissions and those of its directory"
        }
        ErrorCode::OutOfMemory => "cannot be used for want of memory",
        ErrorCode::OperationInterrupted
        | ErrorCode::OperationAborted
        | ErrorCode::SchemaChanged
        | ErrorCode::FileLockingProtocolFailed => "cannot be used right now",
        ErrorCode::NotADatabase => {
            return StorageError::NotOurs {
                place: place.to_string(),
                message: "it is not a SQLite database, or its beginning is overwritten".into(),
            };
        }
        _ => return place.corrupt(error),
    };
    place.unavailable(format_args!("{advice} ({error})"))
}
