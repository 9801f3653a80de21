//! The threads that read storage for clients.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::storage::StorageError;

/// Threads for reading, made when they are needed and ended when they have been idle for a while.
///
/// The pool of the program's own runtime has a bounded number of threads as well, and plain `fn`
/// activities may hold all of them for as long as they like: a status would be read when one of those
/// has ended. Nothing on these threads takes longer than storage does.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// It has threads for blocking calls, and runs nothing else.
    runtime: Mutex<Option<Runtime>>,
}

/// So that a few readers of long lists do not keep out those of single instances.
const THREADS: usize = 64;

impl Readers {
    /// Runs `call` on one of the threads.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, StorageError> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match runtime.as_mut() {
            Some(runtime) => runtime,
            None => runtime.insert(make()?),
        };
        Ok(runtime.spawn_blocking(call))
    }
}

fn make() -> Result<Runtime, StorageError> {
    let made = Builder::new_current_thread()
        .max_blocking_threads(THREADS)
        .thread_name("durable-readers")
        .build();
    made.map_err(|error| StorageError::Unavailable {
        message: format!("no threads can be had to read it: {error}"),
    })
}

impl Drop for Readers {
    fn drop(&mut self) {
        let runtime = self.runtime.get_mut();
        if let Some(runtime) = runtime.unwrap_or_else(PoisonError::into_inner).take() {
            // Dropped like anything else it would wait, which an async runtime does not let it do.
            runtime.shutdown_background();
        }
    }
}
