//! Notices activities that keep their thread, of the async runtime or of partitions, from everyone else.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::conduct::Conduct;
use crate::clock;
use crate::partition::ActivityWork;

/// An activity that runs for longer without waiting is reported. The runtime has as many threads as the
/// machine has cores: a few of them are enough to hold up all that is async in the process. One that
/// says `block_in_place` holds up nobody, and cannot be told from the others.
const LONG: Duration = Duration::from_millis(200);

/// The activities of which that was said.
#[derive(Debug, Default)]
pub(super) struct HoldUps {
    reported: Mutex<FxHashSet<String>>,
}

impl HoldUps {
    /// Runs the code of an activity and looks at how long it goes on without waiting.
    pub(super) async fn watch<T>(
        &self,
        work: &ActivityWork,
        conduct: &Conduct,
        code: impl Future<Output = T>,
    ) -> T {
        let mut code = pin!(code);
        let mut begins = true;
        poll_fn(|context| {
            let began = clock::instant();
            let polled = code.as_mut().poll(context);
            let took = clock::since(began);
            if std::mem::take(&mut begins) {
                conduct.note(&work.name, took);
            }
            if took > LONG {
                self.report(work, took);
            }
            polled
        })
        .await
    }

    /// Says so once of each activity, for it will do the same again.
    #[cold]
    fn report(&self, work: &ActivityWork, took: Duration) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.insert(work.name.clone()) {
            drop(reported);
            tracing::warn!(
                activity = %work.name,
                instance = %work.instance,
                milliseconds = took.as_millis(),
                "an activity ran for long without waiting and kept its thread from all that is async: make it \
                 a plain `fn`, which runs on the blocking pool, or await what takes so long"
            );
        }
    }
}
