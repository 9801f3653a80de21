//! Who owns which partition in this process, and the way there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use rustc_hash::FxHashMap;

use super::committer::Handover;
use crate::model::{Due, Epoch, InboxMessage, InstanceId, PartitionId};
use crate::partition::{Input, PartitionConfig};

/// What a partition thread receives.
#[derive(Debug)]
pub(super) enum ThreadInput {
    /// For one of its partitions, as long as that is owned under `epoch`; any if `None`.
    Partition {
        id: PartitionId,
        epoch: Option<Epoch>,
        input: Box<Input>,
    },
    /// It owns another partition.
    Own(Box<Acquired>),
    /// It no longer owns the partition.
    Disown(PartitionId),
    /// Hand everything over, say so, and end.
    Stop,
}

/// A partition that was just acquired.
#[derive(Debug)]
pub(super) struct Acquired {
    pub(super) config: PartitionConfig,
    pub(super) due: Vec<(InstanceId, Due)>,
    pub(super) inbox: Vec<InboxMessage>,
}

/// Routes inputs to the threads of this process.
#[derive(Debug)]
pub(crate) struct Router {
    threads: Vec<Sender<ThreadInput>>,
    owned: RwLock<FxHashMap<PartitionId, Epoch>>,
    /// Up to where each owned partition is durable.
    committed: Mutex<FxHashMap<PartitionId, (Epoch, u64)>>,
    /// Whether what this process owned is to be given back and taken anew.
    starting_over: AtomicBool,
    partition_count: u32,
}

impl Router {
    pub(super) fn new(threads: usize, partition_count: u32) -> (Self, Vec<Receiver<ThreadInput>>) {
        let (senders, receivers) = (0..threads).map(|_| channel()).unzip();
        let router = Self {
            threads: senders,
            owned: RwLock::default(),
            committed: Mutex::default(),
            starting_over: AtomicBool::new(false),
            partition_count,
        };
        (router, receivers)
    }

    pub(super) fn partition_of(&self, id: &InstanceId) -> PartitionId {
        id.partition(self.partition_count)
    }

    /// The epoch under which this process owns `partition`.
    pub(super) fn epoch(&self, partition: PartitionId) -> Option<Epoch> {
        self.epochs().get(&partition).copied()
    }

    /// What this process owns, for as long as the guard is held.
    pub(super) fn epochs(&self) -> RwLockReadGuard<'_, FxHashMap<PartitionId, Epoch>> {
        self.owned.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owned(&self) -> Vec<(PartitionId, Epoch)> {
        let owned = self.epochs();
        owned.iter().map(|(id, epoch)| (*id, *epoch)).collect()
    }

    /// Hands a partition to its thread.
    pub(super) fn own(&self, acquired: Acquired) {
        let (id, epoch) = (acquired.config.id, acquired.config.epoch);
        self.set_committed(id, epoch, 0);
        // Locked over both steps: nothing reaches the thread before the partition does, and what the
        // partition sets going at once, such as an activity to run again, does not find it unowned.
        let mut owned = self.owned.write().unwrap_or_else(PoisonError::into_inner);
        self.to_thread(id, ThreadInput::Own(Box::new(acquired)));
        owned.insert(id, epoch);
    }

    /// Takes a partition away from its thread, if it is still owned under `epoch`.
    pub(super) fn disown(&self, id: PartitionId, epoch: Epoch) {
        let mut owned = self.owned.write().unwrap_or_else(PoisonError::into_inner);
        if owned.get(&id) == Some(&epoch) {
            owned.remove(&id);
            self.to_thread(id, ThreadInput::Disown(id));
        }
    }

    /// Takes all partitions away from their threads and makes nothing durable of what they have not
    /// committed. The keeper gives their leases back and takes up what is in storage.
    ///
    /// When one of them has lost what it did, others may rest on that: messages do not wait for the
    /// commit of their sender.
    pub(super) fn start_over(&self, handover: &Handover) {
        let mut owned = self.owned.write().unwrap_or_else(PoisonError::into_inner);
        handover.refuse(&owned);
        for id in owned.drain().map(|(id, _)| id) {
            self.to_thread(id, ThreadInput::Disown(id));
        }
        self.starting_over.store(true, Ordering::Release);
    }

    /// Whether the leases are to be given back; asked until they are.
    pub(super) fn is_starting_over(&self) -> bool {
        self.starting_over.load(Ordering::Acquire)
    }

    /// The leases have been given back.
    pub(super) fn started_over(&self) {
        self.starting_over.store(false, Ordering::Release);
    }

    /// Takes all partitions away from their threads.
    pub(super) fn disown_all(&self) {
        for (id, epoch) in self.owned() {
            self.disown(id, epoch);
        }
    }

    /// Sends `input` to the partition; gives it back if that is not owned here.
    pub(super) fn send(&self, id: PartitionId, input: Input) -> Result<(), Box<Input>> {
        let input = Box::new(input);
        if self.epoch(id).is_none() {
            return Err(input);
        }
        self.to_thread(
            id,
            ThreadInput::Partition {
                id,
                epoch: None,
                input,
            },
        );
        Ok(())
    }

    /// Sends `input` to the partition as it is owned under `epoch`, or to nobody.
    pub(super) fn send_to(&self, id: PartitionId, epoch: Epoch, input: Input) {
        let (epoch, input) = (Some(epoch), Box::new(input));
        self.to_thread(id, ThreadInput::Partition { id, epoch, input });
    }

    pub(super) fn stop_threads(&self) {
        for thread in &self.threads {
            // A thread that has ended needs no stopping.
            let _ = thread.send(ThreadInput::Stop);
        }
    }

    pub(super) fn set_committed(&self, id: PartitionId, epoch: Epoch, sequence: u64) {
        let mut committed = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = committed.entry(id).or_insert((epoch, 0));
        if epoch > entry.0 {
            *entry = (epoch, sequence);
        } else if epoch == entry.0 {
            entry.1 = entry.1.max(sequence);
        }
    }

    pub(super) fn committed(&self, id: PartitionId, epoch: Epoch) -> u64 {
        let committed = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match committed.get(&id) {
            Some((of, sequence)) if *of == epoch => *sequence,
            _ => 0,
        }
    }

    fn to_thread(&self, id: PartitionId, input: ThreadInput) {
        let thread = &self.threads[id.0 as usize % self.threads.len()];
        // The thread ends only when the host does; what comes then is taken up by the next one.
        let _ = thread.send(input);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;

    // An activity that a new owner takes up at once is confirmed through the router, and would be lost
    // if that did not know the owner yet.
    #[test]
    fn whoever_is_handed_a_partition_owns_it() {
        let (router, mut inputs) = Router::new(1, 1);
        let router = Arc::new(router);
        let inputs = inputs.remove(0);
        let thread = std::thread::spawn({
            let router = Arc::clone(&router);
            move || {
                for input in inputs {
                    match input {
                        ThreadInput::Own(acquired) => {
                            let PartitionConfig { id, epoch, .. } = acquired.config;
                            assert_eq!(router.epoch(id), Some(epoch));
                        }
                        _ => return,
                    }
                }
            }
        });
        for id in 0..10_000 {
            router.own(acquired(PartitionId(id)));
        }
        router.stop_threads();
        thread.join().unwrap();
    }

    pub(in crate::host) fn acquired(id: PartitionId) -> Acquired {
        Acquired {
            config: PartitionConfig::small(id),
            due: Vec::new(),
            inbox: Vec::new(),
        }
    }
}
