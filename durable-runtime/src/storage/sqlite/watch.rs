//! Waiting for changes.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::clock;
use crate::storage::Watch;

/// How soon a file is looked at again after a change, when more are likely to follow.
const EAGER: Duration = Duration::from_millis(5);

/// How seldom it is looked at when nothing happens; below the 50 ms that a watch may take.
const IDLE: Duration = Duration::from_millis(40);

/// Counts the changes that are made through one [`Database`](super::database::Database).
#[derive(Debug, Default)]
pub(super) struct Changes {
    count: Mutex<u64>,
    news: Condvar,
}

impl Changes {
    pub(super) fn made(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.news.notify_all();
    }

    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches a database in memory, which only its own connection can change.
#[derive(Debug)]
pub(super) struct MemoryWatch {
    changes: Arc<Changes>,
    seen: u64,
}

impl MemoryWatch {
    pub(super) fn new(changes: &Arc<Changes>) -> Self {
        Self {
            seen: changes.count(),
            changes: Arc::clone(changes),
        }
    }
}

impl Watch for MemoryWatch {
    fn wait(&mut self, timeout: Duration) -> bool {
        let count = self
            .changes
            .count
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (count, _) = self
            .changes
            .news
            .wait_timeout_while(count, timeout, |count| *count == self.seen)
            .unwrap_or_else(PoisonError::into_inner);
        let changed = *count != self.seen;
        self.seen = *count;
        changed
    }
}

/// Watches a file, which any process can change. `SQLite` counts the commits of other connections,
/// so this has one to itself.
#[derive(Debug)]
pub(super) struct FileWatch {
    connection: Connection,
    seen: i64,
    interval: Duration,
}

impl FileWatch {
    pub(super) fn new(connection: Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            seen: version(&connection)?,
            connection,
            interval: EAGER,
        })
    }

    fn has_changed(&mut self) -> bool {
        match version(&self.connection) {
            Ok(version) => std::mem::replace(&mut self.seen, version) != version,
            // Whoever asks will find out what is wrong, or that it has passed.
            Err(_) => self.interval >= IDLE,
        }
    }
}

impl Watch for FileWatch {
    fn wait(&mut self, timeout: Duration) -> bool {
        let started = clock::instant();
        loop {
            if self.has_changed() {
                self.interval = EAGER;
                return true;
            }
            let rest = timeout.saturating_sub(started.elapsed());
            if rest.is_zero() {
                return false;
            }
            std::thread::sleep(self.interval.min(rest));
            self.interval = (self.interval * 2).min(IDLE);
        }
    }
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}
