//! Lets several processes write by turns.
//!
//! `SQLite` has no queue for its write lock: who waits looks again and again. A process that commits
//! without a pause leaves the database only for microseconds, and others would hardly ever find it
//! free. So whoever wants to write first locks a file beside the database, and unlocks it as soon as
//! the transaction has begun: then the one that has just committed finds it locked, and waits behind
//! those who were waiting for it. This is a courtesy only. Without it, everything is as safe.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::clock;

/// How long to wait behind others, who wait for one commit. Not for ever, as a blocking lock would:
/// one of them may be a process that was stopped.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the file is left alone after somebody has kept it for longer than that.
const DISTRUST: Duration = Duration::from_secs(30);

/// The file by which processes take turns.
#[derive(Debug)]
pub(super) struct Turnstile {
    /// `None` for a database in memory, or where files have no locks.
    file: Option<File>,
    distrusted_since: Option<Instant>,
}

/// It is this process's turn. Dropping this makes it the next one's.
#[derive(Debug)]
pub(super) struct Turn<'a>(Option<&'a File>);

impl Turnstile {
    pub(super) fn new(database: Option<&Path>) -> Self {
        let file = database.and_then(|database| {
            let mut path = database.as_os_str().to_owned();
            path.push("-turn");
            OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .ok()
        });
        Self {
            file,
            distrusted_since: None,
        }
    }

    /// Waits behind those who were here before.
    pub(super) fn enter(&mut self) -> Turn<'_> {
        let Some(file) = &self.file else {
            return Turn(None);
        };
        if let Some(since) = self.distrusted_since
            && since.elapsed() < DISTRUST
        {
            return Turn(None);
        }
        self.distrusted_since = None;
        let mut since = None;
        loop {
            match file.try_lock() {
                Ok(()) => return Turn(Some(file)),
                Err(TryLockError::Error(_)) => return Turn(None),
                Err(TryLockError::WouldBlock) => {}
            }
            let since = *since.get_or_insert_with(clock::instant);
            if since.elapsed() > PATIENCE {
                self.distrusted_since = Some(clock::instant());
                return Turn(None);
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.0 {
            // A lock that cannot be given up counts as one that is kept for too long.
            drop(file.unlock());
        }
    }
}
