//! Moves the write-ahead log into the database, off the way of commits.

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
    stop: bool,
}

impl Default for LogState {
    fn default() -> Self {
        Self {
            pages: 0,
            enough: ENOUGH,
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
        let thread = std::thread::Builder::new()
            .name("durable-checkpoint".into())
            .spawn(move || task.run(&connection, &writer))
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
        state.pages = pages;
        if pages >= state.enough {
            self.news.notify_one();
        }
    }

    fn run(&self, connection: &Connection, writer: &FairLock<Writer>) {
        while self.wait_until_long() {
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

    /// Returns `false` when the thread is to end.
    fn wait_until_long(&self) -> bool {
        let mut state = self.state();
        while !state.stop && state.pages < state.enough {
            state = self
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !state.stop
    }
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
