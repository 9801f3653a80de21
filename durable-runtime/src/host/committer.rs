//! Group commit: whatever all partitions have handed over since the last commit goes into the next.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::router::Router;
use super::state::HostState;
use crate::model::{Delta, InboxMessage, PartitionId};
use crate::partition::Input;
use crate::storage::{HubStorage, StorageError};

/// Where partitions hand their deltas over.
#[derive(Debug, Default)]
pub(super) struct Handover {
    open: Mutex<Open>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    deltas: FxHashMap<PartitionId, HandedOver>,
    stopped: bool,
}

/// What one partition has handed over since the last commit began.
#[derive(Debug)]
struct HandedOver {
    delta: Delta,
    sequence: u64,
}

impl Handover {
    /// Adds the delta that brings a partition to `sequence`. The committer takes it when it is done
    /// with the commit under way.
    pub(super) fn add(&self, delta: Delta, sequence: u64) {
        let mut open = self.lock();
        match open.deltas.get_mut(&delta.partition) {
            Some(earlier) if earlier.delta.epoch == delta.epoch => {
                earlier.delta.merge(delta);
                earlier.sequence = sequence;
            }
            _ => {
                let handed_over = HandedOver { delta, sequence };
                open.deltas.insert(handed_over.delta.partition, handed_over);
            }
        }
        drop(open);
        self.news.notify_one();
    }

    /// Lets the committer end when it has committed all there is.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.news.notify_one();
    }

    /// Waits for something to commit; `None` when there will be no more.
    fn take(&self) -> Option<Vec<HandedOver>> {
        let mut open = self.lock();
        loop {
            if !open.deltas.is_empty() {
                return Some(
                    open.deltas
                        .drain()
                        .map(|(_, handed_over)| handed_over)
                        .collect(),
                );
            }
            if open.stopped {
                return None;
            }
            open = self.news.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the committing thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    AllCommitted,
    GivenUp,
}

/// The committing thread.
#[derive(Debug)]
pub(super) struct Committer {
    pub(super) handover: Arc<Handover>,
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) router: Arc<Router>,
    pub(super) state: Arc<HostState>,
}

impl Committer {
    /// Runs until the host stops and all is committed, or the host gives up.
    pub(super) fn run(self) -> Outcome {
        while let Some(taken) = self.handover.take() {
            let (deltas, sequences): (Vec<_>, Vec<_>) = taken
                .into_iter()
                .map(|handed_over| (handed_over.delta, handed_over.sequence))
                .unzip();
            let Some(committed) = self.commit(deltas, sequences) else {
                // Nothing that the partitions do now would last.
                self.router.stop_threads();
                return Outcome::GivenUp;
            };
            for (delta, sequence) in committed {
                self.acknowledge(delta, sequence);
            }
        }
        Outcome::AllCommitted
    }

    /// Commits until it has worked. Gives back what was committed: all but the deltas of partitions
    /// that have been lost. `None` when the host is done for.
    fn commit(&self, mut deltas: Vec<Delta>, mut sequences: Vec<u64>) -> Option<Vec<(Delta, u64)>> {
        let mut pause = Duration::from_millis(5);
        loop {
            match self.storage.commit(&deltas) {
                Ok(()) => return Some(deltas.into_iter().zip(sequences).collect()),
                Err(StorageError::Fenced { partitions }) => {
                    let all = deltas.into_iter().zip(sequences);
                    let (lost, kept): (Vec<_>, Vec<_>) =
                        all.partition(|(delta, _)| partitions.contains(&delta.partition));
                    for (delta, _) in lost {
                        tracing::warn!(partition = %delta.partition, "another worker has taken over");
                        self.router.disown(delta.partition, delta.epoch);
                    }
                    (deltas, sequences) = kept.into_iter().unzip();
                    if deltas.is_empty() {
                        return Some(Vec::new());
                    }
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "commit failed; trying again");
                    if self.state.wait_for_abandon(pause) {
                        return None;
                    }
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(error) => {
                    self.state.fail(error.into());
                    return None;
                }
            }
        }
    }

    fn acknowledge(&self, delta: Delta, sequence: u64) {
        // Before the acknowledgement, so that each message is on its way to its receiver before a
        // commit can delete it.
        for message in delta.outgoing {
            if message.to != delta.partition {
                let message = InboxMessage {
                    partition: message.to,
                    id: message.id,
                    envelope: message.envelope,
                };
                // A partition owned by another process finds it in its inbox.
                let _ = self.router.send(message.partition, Input::Message(message));
            }
        }
        self.router
            .set_committed(delta.partition, delta.epoch, sequence);
        let input = Input::Committed { sequence };
        self.router.send_to(delta.partition, delta.epoch, input);
    }
}
