//! Looks after the write-ahead log, off the way of commits: moves it into the database when it has
//! become long, and makes its file longer before a commit needs that.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connection;
use super::error::{Fault, Place};
use super::writer::{FairLock, Writer};

/// The length of the log, in pages, from which it is worth the trouble (32 MiB).
const ENOUGH: usize = 4000;

/// How often pages are copied while commits go on, before commits are held up for what remains.
const ROUNDS: usize = 2;

/// The log's file is made longer when fewer pages than this are left in it (2 MiB).
const MARGIN: usize = 256;

/// By how much it is made longer, in bytes.
const GROWTH: usize = 4 << 20;

/// A commit of more pages than this is not held up by the file's length.
const LARGE_COMMIT: usize = 16;

/// The length of the log, in pages, below which its file is left alone: a program that does little is
/// not to write much.
const SMALL: usize = 32;

/// What a page takes in the log's file, in bytes: itself, and a header.
const FRAME: u64 = 8192 + 24;

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
    /// The length from which the file is to be made longer.
    short: usize,
    stop: bool,
}

impl Default for LogState {
    fn default() -> Self {
        Self {
            pages: 0,
            enough: ENOUGH,
            short: SMALL,
            stop: false,
        }
    }
}

impl Checkpointer {
    /// Starts the thread and has `writer` report to it.
    pub(super) fn start(place: &Place, writer: &Arc<FairLock<Writer>>) -> Result<Self, Fault> {
        let log = Arc::new(Log::default());
        let reports = Arc::clone(&log);
        writer
            .lock()
            .connection
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
                reports.grown(usize::try_from(pages).unwrap_or(usize::MAX));
                Ok(())
            }))?;
        let connection = connection::open_checkpointer(place)?;
        let (task, writer) = (Arc::clone(&log), Arc::clone(writer));
        let file = place.path().map(log_file).unwrap_or_default();
        let thread = std::thread::Builder::new()
            .name("durable-checkpoint".into())
            .spawn(move || task.run(&connection, &writer, &file))
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
            state.short = state.short.max(pages + MARGIN);
        }
        state.pages = pages;
        if pages >= state.enough || pages >= state.short {
            self.news.notify_one();
        }
    }

    fn run(&self, connection: &Connection, writer: &FairLock<Writer>, file: &Path) {
        while let Some(need) = self.wait_for_need() {
            if need == Need::LongerFile {
                grow(connection, writer).unwrap_or_else(|error| {
                    tracing::debug!(%error, "the write-ahead log could not be made longer");
                });
                let length = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
                let pages = usize::try_from(length / FRAME).unwrap_or(usize::MAX);
                let mut state = self.state();
                // If it has not become longer, commits will have to do it themselves.
                state.short = pages.saturating_sub(MARGIN).max(state.pages + MARGIN);
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

    /// Returns `None` when the thread is to end.
    fn wait_for_need(&self) -> Option<Need> {
        let mut state = self.state();
        loop {
            if state.stop {
                return None;
            }
            if state.pages >= state.enough {
                return Some(Need::Checkpoint);
            }
            if state.pages >= state.short {
                return Some(Need::LongerFile);
            }
            state = self
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What the log needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Checkpoint,
    LongerFile,
}

/// Where `SQLite` keeps the log of a database.
fn log_file(database: &Path) -> PathBuf {
    let mut file = database.as_os_str().to_owned();
    file.push("-wal");
    file.into()
}

/// Makes the log's file longer. A sync of a file that has become longer takes twice as long as one of
/// a file that was written over, and a commit waits for it.
///
/// A transaction that is larger than its connection's cache writes what it does into the log before
/// it ends. When it is rolled back the log is as it was, but the file keeps its length.
fn grow(connection: &Connection, writer: &FairLock<Writer>) -> Result<(), rusqlite::Error> {
    let mut held = writer.lock();
    let _turn = held.turnstile.enter();
    let fill = format!(
        "BEGIN IMMEDIATE;
        CREATE TABLE growth (content);
        INSERT INTO growth VALUES (zeroblob({GROWTH}));"
    );
    let filled = connection.execute_batch(&fill);
    if connection.is_autocommit() {
        return filled;
    }
    connection.execute_batch("ROLLBACK")?;
    filled
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

/// Returns whether it went through without anyone in the way.
fn run(connection: &Connection, pragma: &str) -> Result<bool, rusqlite::Error> {
    connection.query_row(pragma, [], |row| Ok(row.get::<_, i64>(0)? == 0))
}
