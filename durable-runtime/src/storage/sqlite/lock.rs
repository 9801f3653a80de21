//! The file by which the end of an owner is noticed at once.
//!
//! A lease of a process that was killed would have to run out before anyone could take it. But the
//! operating system knows: it gives up the locks of a process that ends. So the first owner of
//! leases in a hub locks a file beside the database, and its leases say so. Whoever gets that lock
//! knows that every owner whose leases say so is gone. An owner that was merely stopped keeps the
//! lock, and its leases run out as everywhere.
//!
//! The file is not the database itself: closing any handle on that would drop the locks that
//! `SQLite` has on it. It is never removed, for another process might be about to lock it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::model::{TaskHubName, WorkerId};

/// Who works through this opening of the hub, and whether it holds the lock.
#[derive(Debug)]
pub(super) struct Presence {
    /// `None` for a database in memory.
    path: Option<PathBuf>,
    lock: Option<File>,
    workers: BTreeSet<String>,
}

impl Presence {
    /// Nobody yet.
    pub(super) fn new(database: Option<&Path>, hub: &TaskHubName) -> Self {
        let path = database.map(|database| {
            let mut path = database.as_os_str().to_owned();
            path.push(format!("-{}-lock", hub.as_str().to_ascii_lowercase()));
            PathBuf::from(path)
        });
        Self {
            path,
            lock: None,
            workers: BTreeSet::new(),
        }
    }

    /// Whether the lock is held, now or since earlier. Where the file system has no locks, it never
    /// is, and leases run out.
    pub(super) fn hold(&mut self) -> bool {
        if self.lock.is_none()
            && let Some(path) = &self.path
        {
            self.lock = try_lock(path);
        }
        self.lock.is_some()
    }

    /// Those who have leases through this opening: alive, whoever holds the lock.
    pub(super) fn workers(&self) -> &BTreeSet<String> {
        &self.workers
    }

    /// `worker` has leases.
    pub(super) fn arrived(&mut self, worker: &WorkerId) {
        self.workers.insert(worker.0.clone());
    }

    /// `worker` has given its leases back.
    pub(super) fn left(&mut self, worker: &WorkerId) {
        self.workers.remove(&worker.0);
        self.leave_if_empty();
    }

    /// Gives up the lock when nobody here has leases: it says something about owners only.
    pub(super) fn leave_if_empty(&mut self) {
        if self.workers.is_empty() {
            self.lock = None;
        }
    }
}

fn try_lock(path: &Path) -> Option<File> {
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let problem = match opened {
        Ok(file) => match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) => return None,
            Err(TryLockError::Error(error)) => error,
        },
        Err(error) => error,
    };
    tracing::debug!(path = %path.display(), %problem, "no lock: after a crash, leases have to run out");
    None
}
