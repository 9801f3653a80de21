//! Looks after the write-ahead log, off the way of commits: moves it into the database when it has
//! become long, and makes its file longer before a commit needs that.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connection;
use super::error::{Fault, Place};
use super::log_file::LogFile;
use super::original::Original;
use super::writer::{FairLock, Writer};
use crate::storage::StorageError;

/// The length of the log, in pages, from which it is worth the trouble (32 MiB).
const ENOUGH: usize = 8000;

/// How often pages are copied while commits go on, before commits are held up for what remains.
const ROUNDS: usize = 2;

/// For how many pages more than it has the log's file is to have room: for as many as it has, for a
/// program that does little is not to write much, but within these bounds (256 KiB and 4 MiB).
const MARGIN: [usize; 2] = [64, 1024];

/// A commit of more pages than this is not held up by the file's length.
const LARGE_COMMIT: usize = 32;

/// The thread that makes checkpoints. Dropping this ends it.
#[derive(Debug)]
pub(super) struct Checkpointer {
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
}

/// What the writer tells the thread.
#[derive(Debug, Default)]
struct Log {
    state: Mutex<LogState>,
    news: Condvar,
}

#[derive(Debug)]
struct LogState {
    /// The log's length after the last commit, in pages.
    pages: usize,
    /// The length at which a checkpoint is made.
    enough: usize,
    /// For how many pages there is room in the file.
    room: usize,
    stop: bool,
}

impl LogState {
    fn margin(&self) -> usize {
        self.pages.clamp(MARGIN[0], MARGIN[1])
    }

    fn needs(&self) -> Option<Need> {
        if self.pages >= self.enough {
            Some(Need::Checkpoint)
        } else if self.room < self.pages + self.margin() / 2 {
            Some(Need::Room)
        } else {
            None
        }
    }
}

impl Default for LogState {
    fn default() -> Self {
        Self {
            pages: 0,
            enough: ENOUGH,
            room: 0,
            stop: false,
        }
    }
}

impl Checkpointer {
    /// Starts the thread and has `writer` report to it.
    pub(super) fn start(
        place: &Place,
        path: &Path,
        writer: &Arc<FairLock<Writer>>,
        original: &Arc<Original>,
    ) -> Result<Self, Fault> {
        let log = Arc::new(Log::default());
        let reports = Arc::clone(&log);
        writer
            .lock()
            .connection
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                reports.grown(usize::try_from(pages).unwrap_or(usize::MAX));
                Ok(())
            }))?;
        let mut connection = connection::open_checkpointer(place)?;
        let page_size = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let (task, writer) = (Arc::clone(&log), Arc::clone(writer));
        let file = LogFile::new(path, page_size);
        let original = Arc::clone(original);
        let thread = std::thread::Builder::new()
            .name("durable-checkpoint".into())
            .spawn(move || task.run(&mut connection, &writer, &file, &original))
            .map_err(|error| place.unavailable(format_args!("gets no thread ({error})")))?;
        Ok(Self {
            log,
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.log.state().stop = true;
        self.log.news.notify_one();
        if let Some(thread) = self.thread.take() {
            // It has reported whatever went wrong.
            drop(thread.join());
        }
    }
}

impl Log {
    fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grown(&self, pages: usize) {
        let mut state = self.state();
        if pages.saturating_sub(state.pages) > LARGE_COMMIT {
            // It takes its time in any case: what it saves by a longer file is not worth that.
            state.room = state.room.max(pages + MARGIN[1]);
        }
        state.pages = pages;
        if state.needs().is_some() {
            self.news.notify_one();
        }
    }

    fn run(
        &self,
        connection: &mut Connection,
        writer: &FairLock<Writer>,
        file: &LogFile,
        original: &Original,
    ) {
        while let Some(need) = self.wait_for_need() {
            // What is in a log that was emptied must not get into the database. Whoever commits next
            // is told.
            if is_lost(original, writer) {
                return;
            }
            if need == Need::Room {
                self.make_room(connection, writer, file);
                continue;
            }
            let complete = checkpoint(connection, writer).unwrap_or_else(|error| {
                tracing::warn!(%error, "the write-ahead log could not be moved into the database");
                false
            });
            let mut state = self.state();
            if complete {
                // The next commit starts the log over.
                state.pages = 0;
                state.enough = ENOUGH;
            } else {
                // Somebody still reads what is in the log.
                state.enough = state.pages + ENOUGH;
            }
        }
    }

    fn make_room(&self, connection: &mut Connection, writer: &FairLock<Writer>, file: &LogFile) {
        let wanted = {
            let state = self.state();
            state.pages + state.margin()
        };
        let room = file
            .make_room(wanted, connection, writer)
            .and_then(|()| file.room());
        let room = room.unwrap_or_else(|error| {
            tracing::debug!(
                ?error,
                "the write-ahead log's file could not be made longer"
            );
            0
        });
        let mut state = self.state();
        // If it has not become longer, commits will have to do it themselves.
        state.room = room.max(wanted);
    }

    /// Returns `None` when the thread is to end.
    fn wait_for_need(&self) -> Option<Need> {
        let mut state = self.state();
        loop {
            if state.stop {
                return None;
            }
            if let Some(need) = state.needs() {
                return Some(need);
            }
            state = self
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn is_lost(original: &Original, writer: &FairLock<Writer>) -> bool {
    let _held = writer.lock();
    matches!(original.check(), Err(loss) if !loss.error.is_transient())
}

/// What the log needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Checkpoint,
    /// Before it is reached, in the file.
    Room,
}

/// Returns whether the whole log is now in the database, so that it starts over.
///
/// Passive rounds never hold up anybody, but under constant load they never catch up either: the log
/// can only start over when a commit finds that all of it was moved. So the little that has come up
/// meanwhile is moved while the writer waits.
fn checkpoint(connection: &Connection, writer: &FairLock<Writer>) -> Result<bool, rusqlite::Error> {
    for _ in 0..ROUNDS {
        run(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    }
    let mut held = writer.lock();
    let _turn = held.turnstile.enter();
    run(connection, "PRAGMA wal_checkpoint(RESTART)")
}

/// Moves the whole log into the database through `connection`, whose writer is held.
///
/// # Errors
///
/// Also when somebody is in the way.
pub(super) fn move_all(connection: &Connection) -> Result<(), Fault> {
    if run(connection, "PRAGMA wal_checkpoint(FULL)")? {
        return Ok(());
    }
    Err(StorageError::Unavailable {
        message: "somebody reads what is in the log".into(),
    }
    .into())
}

/// Returns whether it went through without anyone in the way.
fn run(connection: &Connection, pragma: &str) -> Result<bool, rusqlite::Error> {
    connection.query_row(pragma, [], |row| Ok(row.get::<_, i64>(0)? == 0))
}
