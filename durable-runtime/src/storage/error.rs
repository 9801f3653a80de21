//! What storage can answer instead of doing as told.

use crate::model::PartitionId;

/// An error of storage, classified by what helps.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Busy, full, unreachable or failing for now: trying again later is right.
    #[error("storage is unavailable: {message}")]
    Unavailable {
        /// What the engine says.
        message: String,
    },
    /// Another worker has taken these partitions over: they are to be dropped here.
    #[error("a newer owner has taken over {} partition(s)", partitions.len())]
    Fenced {
        /// The partitions.
        partitions: Vec<PartitionId>,
    },
    /// The hub was written by a newer version of the runtime.
    #[error(
        "{place} has schema version {found}, but this program knows only up to {known}: \
         use a program built with a newer durable-runtime"
    )]
    NewerSchema {
        /// The file or database.
        place: String,
        /// The version found.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The hub was written by an older version of the runtime, and is not to be brought up to date.
    #[error(
        "{place} was written by an older version of durable-runtime, whose programs could not open it any \
         more if this one brought it up to date: start a host of this version on it first, or use a \
         program of that version"
    )]
    OlderSchema {
        /// The file or database.
        place: String,
    },
    /// The file or database holds something else.
    #[error("{place} is not a task hub: {message}; name another file")]
    NotOurs {
        /// The file or database.
        place: String,
        /// What was found.
        message: String,
    },
    /// There is no such file, and none is to be created.
    #[error("there is no file {place}: name another one")]
    NotFound {
        /// The file.
        place: String,
    },
    /// The file is not the one any more that was opened: it was deleted, moved, emptied or replaced
    /// while it was in use. What was acknowledged before that is in the file that was opened.
    #[error(
        "{place} is not what this program has opened any more: {message}; end all programs that use it, \
         put it back together with its `-wal` or restore it from a backup, and start them again"
    )]
    Lost {
        /// The file.
        place: String,
        /// What has happened to it.
        message: String,
    },
    /// What is stored is damaged.
    #[error("{place} is damaged: {message}; restore it from a backup")]
    Corrupt {
        /// The file, database or instance.
        place: String,
        /// What was found.
        message: String,
    },
}

impl StorageError {
    /// Whether the same call can succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
