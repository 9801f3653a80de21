//! Keeps the leases of this host and watches its inboxes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::busy::Busy;
use super::committer::Handover;
use super::router::{Acquired, Router};
use super::state::HostState;
use super::triggers::News;
use crate::clock;
use crate::model::{Epoch, InboxMessage, PartitionId, WorkerId};
use crate::partition::{Input, PartitionConfig};
use crate::storage::{HubStorage, Lease, StorageError, Watch};

/// The thread that keeps leases.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) worker: WorkerId,
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) router: Arc<Router>,
    pub(super) handover: Arc<Handover>,
    pub(super) state: Arc<HostState>,
    pub(super) lease_duration: Duration,
    /// The consumers of queues.
    pub(super) news: Arc<News>,
    /// The partition threads.
    pub(super) busy: Vec<Arc<Busy>>,
    /// What every partition is configured with; id and epoch are set for each.
    pub(super) template: PartitionConfig,
    /// Leases that storage has given, but not what is in their partitions: it failed in between. They
    /// are not given again.
    pub(super) to_take_up: Vec<Lease>,
}

/// How long one wait for news lasts at most, and so by how much it can hold up the end of a host.
const WAIT: Duration = Duration::from_millis(40);
/// How often a host without all partitions tries to get more.
const ACQUIRE_EVERY: Duration = Duration::from_millis(500);
/// How often it is tried again to read the inbox, when that has failed.
const TRY_AGAIN_EVERY: Duration = Duration::from_millis(500);
/// How often partitions without mail are told how far their inboxes were read, so that they need not
/// remember what they took. To tell them each time would wake all threads for every commit.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// When the keeper did last what it does again and again.
#[derive(Debug)]
pub(super) struct LastTimes {
    renewed: Instant,
    acquired: Instant,
    told: Told,
    /// Whether the inbox could not be read.
    unread: bool,
    /// When that was tried last.
    tried: Instant,
}

impl LastTimes {
    /// All of it now.
    pub(super) fn new() -> Self {
        let now = clock::instant();
        Self {
            renewed: now,
            acquired: now,
            told: Told {
                at: now,
                again: false,
            },
            unread: false,
            tried: now,
        }
    }
}

/// How current the partitions are.
#[derive(Debug)]
struct Told {
    /// When all of them were told last how far their inboxes were read.
    at: Instant,
    /// Whether it may be of use to tell them again.
    again: bool,
}

impl Keeper {
    /// Takes what it can get before the host is said to have started.
    ///
    /// # Errors
    ///
    /// What storage says, if it does not even let itself be asked.
    pub(super) fn start(&mut self) -> Result<Box<dyn Watch>, StorageError> {
        let watch = self.storage.watch()?;
        self.acquire()?;
        Ok(watch)
    }

    /// Runs until the host ends.
    pub(super) fn run(mut self, mut watch: Box<dyn Watch>) {
        let mut last = LastTimes::new();
        while !self.state.is_abandoned() {
            for thread in &self.busy {
                thread.report_if_stuck();
            }
            let has_changed = watch.wait(WAIT);
            self.round(has_changed, &mut last);
        }
        if self.state.failure().is_some() {
            // Nothing that the partitions do now would last.
            self.router.stop_threads();
        }
    }

    /// Does what is due; `has_changed` is what the watch says of the hub.
    pub(super) fn round(&mut self, has_changed: bool, last: &mut LastTimes) {
        if has_changed && !last.unread {
            self.news.changed();
        }
        // The watch tells of each change once: what could not be read is tried again. It also tells of a
        // change whenever it fails itself, and so more often than it is of use to try.
        let is_wanted =
            has_changed || last.unread || last.told.again && due(last.told.at, TELL_EVERY);
        if is_wanted && (!last.unread || due(last.tried, TRY_AGAIN_EVERY)) {
            last.tried = clock::instant();
            let was_unread = last.unread;
            let result = self.read_inbox(&mut last.told);
            last.unread = !self.logged("reading the inbox", result);
            if was_unread && !last.unread {
                self.news.changed();
            }
        }
        if due(last.renewed, self.lease_duration / 3) {
            last.renewed = clock::instant();
            let result = self.renew();
            self.logged("renewing leases", result);
        }
        let starting_over = self.router.is_starting_over();
        if starting_over || due(last.acquired, ACQUIRE_EVERY) && !self.owns_all() {
            last.acquired = clock::instant();
            let result = self.acquire();
            self.logged("acquiring partitions", result);
        }
    }

    fn owns_all(&self) -> bool {
        let count = self.storage.partition_count();
        self.router.owned().len() >= usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// Returns whether it has worked.
    fn logged(&self, what: &str, result: Result<(), StorageError>) -> bool {
        let worked = result.is_ok();
        if let Err(error) = result {
            if error.is_transient() {
                tracing::warn!(%error, "{what} failed; trying again");
            } else {
                self.state.fail(error.into());
            }
        }
        worked
    }

    fn acquire(&mut self) -> Result<(), StorageError> {
        if self.router.is_starting_over() {
            // What was taken up since then goes too: all leases are given back.
            self.router.start_over(&self.handover);
            self.to_take_up.clear();
            self.storage.release(&self.worker)?;
            self.router.started_over();
        }
        if self.state.is_stopping() {
            // It runs no activities any more.
            return Ok(());
        }
        let count = usize::try_from(self.storage.partition_count()).unwrap_or(usize::MAX);
        let leases = self
            .storage
            .acquire(&self.worker, self.lease_duration, count)?;
        self.to_take_up.extend(leases);
        if !self.to_take_up.is_empty() {
            // What their earlier owners have sent to partitions of this process comes before what they send
            // from now on, which goes straight there.
            self.read_inbox_of(&self.router.owned(), false)?;
        }
        while let Some(lease) = self.to_take_up.last() {
            self.take_up(*lease)?;
            self.to_take_up.pop();
        }
        Ok(())
    }

    fn take_up(&self, lease: Lease) -> Result<(), StorageError> {
        let due = self.storage.due_instances(lease.partition)?;
        let inbox = self.storage.inbox(&[lease.partition])?;
        tracing::debug!(
            partition = %lease.partition,
            epoch = %lease.epoch,
            due = due.len(),
            inbox = inbox.len(),
            "partition acquired"
        );
        self.router.own(Acquired {
            config: PartitionConfig {
                id: lease.partition,
                epoch: lease.epoch,
                clean: lease.clean,
                ..self.template.clone()
            },
            due,
            inbox,
        });
        Ok(())
    }

    fn renew(&mut self) -> Result<(), StorageError> {
        let kept: FxHashMap<PartitionId, Epoch> = self
            .storage
            .renew(&self.worker, self.lease_duration)?
            .into_iter()
            .collect();
        self.to_take_up
            .retain(|lease| kept.get(&lease.partition) == Some(&lease.epoch));
        for (partition, epoch) in self.router.owned() {
            if kept.get(&partition) != Some(&epoch) {
                tracing::warn!(%partition, "lease lost");
                self.router.start_over(&self.handover);
                break;
            }
        }
        Ok(())
    }

    fn read_inbox(&self, told: &mut Told) -> Result<(), StorageError> {
        let tell_all = due(told.at, TELL_EVERY);
        told.again = true;
        self.read_inbox_of(&self.router.owned(), tell_all)?;
        if tell_all {
            told.at = clock::instant();
            told.again = false;
        }
        Ok(())
    }

    /// Hands what is in the inboxes of partitions to them; to `all`, even if there is nothing.
    fn read_inbox_of(&self, owned: &[(PartitionId, Epoch)], all: bool) -> Result<(), StorageError> {
        if owned.is_empty() {
            return Ok(());
        }
        let as_of: Vec<_> = owned
            .iter()
            .map(|(id, epoch)| self.router.committed(*id, *epoch))
            .collect();
        let partitions: Vec<_> = owned.iter().map(|(id, _)| *id).collect();
        let mut messages: FxHashMap<PartitionId, Vec<InboxMessage>> = FxHashMap::default();
        for message in self.storage.inbox(&partitions)? {
            messages.entry(message.partition).or_default().push(message);
        }
        for ((partition, epoch), as_of) in owned.iter().zip(as_of) {
            let messages = messages.remove(partition).unwrap_or_default();
            if all || !messages.is_empty() {
                let input = Input::Inbox { messages, as_of };
                self.router.send_to(*partition, *epoch, input);
            }
        }
        Ok(())
    }
}

fn due(last: Instant, interval: Duration) -> bool {
    clock::since(last) >= interval
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::*;
    use crate::host::router::ThreadInput;
    use crate::model::{
        Command, Delta, Envelope, InstanceId, MessageId, MessageOrigin, OutgoingMessage,
        TaskHubName,
    };
    use crate::registry::Registry;
    use crate::storage::{HubOptions, Memory, StorageProvider};

    const LEASE: Duration = Duration::from_secs(3600);

    fn keeper(storage: &Arc<dyn HubStorage>) -> (Keeper, Receiver<ThreadInput>) {
        let (router, mut inputs) = Router::new(1, storage.partition_count());
        let keeper = Keeper {
            worker: WorkerId("this".to_owned()),
            storage: Arc::clone(storage),
            router: Arc::new(router),
            handover: Arc::default(),
            state: Arc::default(),
            lease_duration: LEASE,
            news: Arc::new(News::of(&Registry::default())),
            busy: Vec::new(),
            template: PartitionConfig::small(PartitionId(0)),
            to_take_up: Vec::new(),
        };
        (keeper, inputs.remove(0))
    }

    // Rule 45: another host runs the activities that this one does not begin any more.
    #[test]
    fn a_host_that_stops_takes_nothing_up() {
        let hub = TaskHubName::new("hub").unwrap();
        let options = HubOptions { partition_count: 2 };
        let storage = Memory::new().open_hub(&hub, &options).unwrap();
        let other = WorkerId("other".to_owned());
        storage.acquire(&other, LEASE, 1).unwrap();
        let (mut keeper, _inputs) = keeper(&storage);
        keeper.start().unwrap();
        let own = keeper.router.owned();
        assert_eq!(own.len(), 1);
        keeper.state.stop();
        storage.release(&other).unwrap();
        keeper.acquire().unwrap();
        assert_eq!(keeper.router.owned(), own);

        // What it has lost stays with whoever comes.
        keeper.router.start_over(&keeper.handover);
        keeper.acquire().unwrap();
        assert!(keeper.router.owned().is_empty());
        assert_eq!(storage.acquire(&other, LEASE, 2).unwrap().len(), 2);
    }

    // Rule 35: what the partition sends under its new owner goes straight to others of the process.
    #[test]
    fn what_an_earlier_owner_has_sent_comes_before_the_partition_itself() {
        let options = HubOptions { partition_count: 2 };
        let hub = TaskHubName::new("hub").unwrap();
        let storage = Memory::new().open_hub(&hub, &options).unwrap();
        let earlier = WorkerId("earlier".to_owned());
        let lease = storage.acquire(&earlier, LEASE, 1).unwrap().remove(0);
        let (mut keeper, inputs) = keeper(&storage);
        keeper.start().unwrap();
        let to = keeper.router.owned()[0].0;
        assert_ne!(to, lease.partition);

        let mut delta = Delta::new(lease.partition, lease.epoch);
        delta.outgoing.push(OutgoingMessage {
            to,
            id: MessageId {
                origin: MessageOrigin::Partition(lease.partition),
                number: 1,
            },
            envelope: Envelope {
                to: InstanceId::trusted("any"),
                command: Command::Purge,
                request: None,
            },
        });
        storage.commit(&[delta]).unwrap();
        storage.release(&earlier).unwrap();
        keeper.acquire().unwrap();

        let told: Vec<_> = inputs
            .try_iter()
            .map(|input| match input {
                ThreadInput::Own(acquired) => (acquired.config.id, "owned", 0),
                ThreadInput::Partition { id, input, .. } => match *input {
                    Input::Inbox { messages, .. } => (id, "mail", messages.len()),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            })
            .collect();
        let wanted = [
            (to, "owned", 0),
            (to, "mail", 1),
            (lease.partition, "owned", 0),
        ];
        assert_eq!(told, wanted);
    }
}
