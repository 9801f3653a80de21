//! Group commit: whatever all partitions have handed over since the last commit goes into the next.

use std::collections::BTreeMap;
#[cfg(feature = "simulation")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::router::Router;
use super::state::HostState;
use crate::model::{Delta, Epoch, InboxMessage, MessageId, MessageOrigin, PartitionId};
use crate::partition::Input;
use crate::storage::{HubStorage, StorageError};

/// Where partitions hand their deltas over.
#[derive(Debug, Default)]
pub(super) struct Handover {
    open: Mutex<Open>,
    news: Condvar,
    /// Whether the committing thread would wait for `news` now.
    #[cfg(feature = "simulation")]
    is_waited_for: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    deltas: FxHashMap<PartitionId, HandedOver>,
    /// What a partition thread could not commit, to be committed before all else.
    given_back: Option<Content>,
    /// Whether a commit is under way.
    committing: bool,
    /// Up to which epochs nothing is taken any more.
    refused: FxHashMap<PartitionId, Epoch>,
    stopped: bool,
}

/// What one partition hands over, or has handed over since the last commit began.
#[derive(Debug)]
pub(super) struct HandedOver {
    pub(super) delta: Delta,
    /// To where it brings the partition.
    pub(super) sequence: u64,
    /// The messages that have to wait for the commit, in the order of their numbers. The others are
    /// on their way to their receivers.
    pub(super) held_back: Vec<MessageId>,
}

impl HandedOver {
    fn merge(&mut self, later: HandedOver) {
        self.delta.merge(later.delta);
        self.sequence = later.sequence;
        self.held_back.extend(later.held_back);
    }
}

impl Handover {
    /// Takes what a partition hands over, and has its messages delivered that need not wait. It is
    /// committed after the commit under way, by whoever is [called](Self::call) or takes it.
    ///
    /// The messages go in one step with the delta: before, their receivers could be committed ahead of
    /// the sender; and after, it could be stored, found in the inbox, dealt with and forgotten by the
    /// time that it arrives a second time.
    pub(super) fn add(&self, later: HandedOver, deliver: impl FnOnce()) {
        let mut open = self.lock();
        if open.refuses(later.delta.partition, later.delta.epoch) {
            return;
        }
        deliver();
        match open.deltas.get_mut(&later.delta.partition) {
            Some(earlier) => earlier.merge(later),
            None => drop(open.deltas.insert(later.delta.partition, later)),
        }
    }

    /// Has the committing thread commit what is there.
    pub(super) fn call(&self) {
        let open = self.lock();
        if !open.committing && !open.deltas.is_empty() {
            drop(open);
            self.wake();
        }
    }

    /// From now on nothing of `partitions` is taken up to these epochs. What was taken and is not under way is
    /// not committed, nor is what may follow it: that is also of partitions whose thread has ended.
    pub(super) fn refuse(&self, partitions: &FxHashMap<PartitionId, Epoch>) {
        let mut guard = self.lock();
        let open = &mut *guard;
        let taken = open.deltas.drain();
        let taken = taken.map(|(id, taken)| (id, taken.delta.epoch));
        open.refused.extend(taken);
        open.refused.extend(partitions);
    }

    fn refuses(&self, delta: &Delta) -> bool {
        self.lock().refuses(delta.partition, delta.epoch)
    }

    /// Lets the committer end when it has committed all there is.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.wake();
    }

    fn wake(&self) {
        self.news.notify_one();
        #[cfg(feature = "simulation")]
        self.is_waited_for.store(false, Ordering::Relaxed);
    }

    /// Waits for something to commit; `None` when there will be no more.
    fn take(self: &Arc<Self>) -> Option<Group> {
        let mut open = self.lock();
        loop {
            if !open.committing {
                if let Some(content) = open.take() {
                    return Some(Group::new(self, content));
                }
                if open.stopped {
                    return None;
                }
            }
            open = self.news.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As [`take`](Self::take), in place of the committing thread; `None` where that would wait. As it would,
    /// this looks again only when it has been woken.
    #[cfg(feature = "simulation")]
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Group> {
        if self.is_waited_for.load(Ordering::Relaxed) {
            return None;
        }
        let mut open = self.lock();
        let content = if open.committing { None } else { open.take() };
        self.is_waited_for
            .store(content.is_none(), Ordering::Relaxed);
        content.map(|content| Group::new(self, content))
    }

    /// What there is to commit, if that is little and no commit is under way.
    fn take_little(self: &Arc<Self>) -> Option<Group> {
        let mut open = self.lock();
        let size = |taken: &HandedOver| taken.delta.instances.len();
        let is_little = open.deltas.values().map(size).sum::<usize>() <= LITTLE;
        if open.committing || open.given_back.is_some() || !is_little {
            return None;
        }
        open.take().map(|content| Group::new(self, content))
    }

    /// Whether there is nothing to commit, and nothing is being committed.
    #[cfg(feature = "simulation")]
    pub(super) fn is_empty(&self) -> bool {
        let open = self.lock();
        open.deltas.is_empty() && open.given_back.is_none() && !open.committing
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn take(&mut self) -> Option<Content> {
        let content = self.given_back.take().or_else(|| {
            let taken: Vec<_> = self.deltas.drain().map(|(_, taken)| taken).collect();
            (!taken.is_empty()).then(|| Content::new(taken))
        });
        self.committing = content.is_some();
        content
    }

    fn refuses(&self, partition: PartitionId, epoch: Epoch) -> bool {
        let refused = self.refused.get(&partition);
        refused.is_some_and(|refused| epoch <= *refused)
    }
}

/// What goes into one commit.
#[derive(Debug)]
struct Content {
    deltas: Vec<Delta>,
    /// Of each delta to where it brings its partition, and the messages that wait for the commit.
    marks: Vec<(u64, Vec<MessageId>)>,
    /// What this process owned before storage was asked for the first time, if messages wait.
    owned: Option<FxHashMap<PartitionId, Epoch>>,
}

impl Content {
    fn new(mut taken: Vec<HandedOver>) -> Self {
        leave_out_delivered(&mut taken);
        let taken = taken.into_iter();
        let (deltas, marks) = taken
            .map(|taken| (taken.delta, (taken.sequence, taken.held_back)))
            .unzip();
        Self {
            deltas,
            marks,
            owned: None,
        }
    }
}

/// The commit that is under way: until this is dropped, there is no other.
#[derive(Debug)]
pub(super) struct Group {
    handover: Arc<Handover>,
    /// `None` once it is settled.
    content: Option<Content>,
}

impl Group {
    fn new(handover: &Arc<Handover>, content: Content) -> Self {
        Self {
            handover: Arc::clone(handover),
            content: Some(content),
        }
    }

    fn deltas(&self) -> &[Delta] {
        let content = self.content.as_ref();
        content.map_or(&[], |content| &content.deltas)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut open = self.handover.lock();
        open.committing = false;
        open.given_back = self.content.take();
        let is_there_more = open.given_back.is_some() || !open.deltas.is_empty();
        if is_there_more || open.stopped {
            drop(open);
            self.handover.wake();
        }
    }
}

/// Up to so many changed instances, a partition thread that has nothing else to do commits by itself. It
/// saves waking the committing thread, and being woken by it. With more to write, the
/// partitions had better go on meanwhile.
const LITTLE: usize = 8;

/// A message that one partition sends and another has dealt with already, both in this commit, need
/// not be written.
fn leave_out_delivered(group: &mut [HandedOver]) {
    let places: FxHashMap<_, _> = group
        .iter()
        .zip(0..)
        .map(|(taken, place): (_, usize)| (taken.delta.partition, place))
        .collect();
    let mut delivered = FxHashSet::default();
    for place in 0..group.len() {
        let mut consumed = std::mem::take(&mut group[place].delta.consumed);
        consumed.retain(|id| {
            let MessageOrigin::Partition(sender) = id.origin else {
                return true;
            };
            let sender = places.get(&sender).map(|at| &group[*at].delta);
            let is_sent = sender.is_some_and(|sender| sender.sends(*id));
            if is_sent {
                delivered.insert(*id);
            }
            !is_sent
        });
        group[place].delta.consumed = consumed;
    }
    if delivered.is_empty() {
        return;
    }
    for taken in group {
        let outgoing = &mut taken.delta.outgoing;
        outgoing.retain(|message| !delivered.contains(&message.id));
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
    pub(super) fn run(&self) -> Outcome {
        while let Some(group) = self.handover.take() {
            if self.commit(group) == Outcome::GivenUp {
                // Nothing that the partitions do now would last.
                self.router.stop_threads();
                return Outcome::GivenUp;
            }
        }
        Outcome::AllCommitted
    }

    /// Commits in place of the committing thread, if that has nothing to do and this is little. Whatever goes
    /// wrong is left to it.
    pub(super) fn commit_little(&self) {
        if let Some(mut group) = self.take_little() {
            let stored = self.store(&mut group);
            self.settle_little(group, &stored);
        }
    }

    /// What [`commit_little`](Self::commit_little) begins with.
    pub(super) fn take_little(&self) -> Option<Group> {
        let taken = self.handover.take_little();
        if taken.is_none() {
            self.handover.call();
        }
        taken
    }

    /// What [`commit_little`](Self::commit_little) ends with.
    pub(super) fn settle_little(&self, group: Group, stored: &Result<(), StorageError>) {
        // Otherwise it is given back when it is dropped.
        if stored.is_ok() {
            self.settle(group, Ok(()));
        }
    }

    /// Commits until it has worked, or another worker owns one of the partitions.
    fn commit(&self, mut group: Group) -> Outcome {
        let mut pause = Duration::from_millis(5);
        loop {
            let stored = self.store(&mut group);
            group = match self.settle(group, stored) {
                Settled::Done => return Outcome::AllCommitted,
                Settled::GivenUp => return Outcome::GivenUp,
                Settled::Again(group) => group,
            };
            if self.state.wait_for_abandon(pause) {
                return Outcome::GivenUp;
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Has storage commit.
    pub(super) fn store(&self, group: &mut Group) -> Result<(), StorageError> {
        let Some(content) = &mut group.content else {
            return Ok(());
        };
        let waits = |(_, held_back): &(u64, Vec<MessageId>)| !held_back.is_empty();
        if content.owned.is_none() && content.marks.iter().any(waits) {
            content.owned = Some(self.router.epochs().clone());
        }
        // What only effects wait for: all that was handed over before is durable by now.
        if content.deltas.iter().all(Delta::is_empty) {
            return Ok(());
        }
        self.storage.commit(&content.deltas)?;
        self.state.counters.note_commit(&content.deltas);
        Ok(())
    }

    /// Does what follows from the answer of storage.
    pub(super) fn settle(&self, mut group: Group, stored: Result<(), StorageError>) -> Settled {
        match stored {
            Ok(()) => {
                if let Some(content) = group.content.take() {
                    let owned = content.owned.unwrap_or_default();
                    for (delta, mark) in content.deltas.into_iter().zip(content.marks) {
                        self.acknowledge(delta, mark, &owned);
                    }
                }
                Settled::Done
            }
            Err(StorageError::Fenced { partitions }) => {
                // Of what has been refused before, this was to be expected.
                let mut deltas = group.deltas().iter();
                if !deltas.all(|delta| self.handover.refuses(delta)) {
                    tracing::warn!(?partitions, "another worker has taken over");
                    // The others have gone on from messages of these, which nobody has sent.
                    self.router.start_over(&self.handover);
                }
                group.content = None;
                Settled::Done
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "commit failed; trying again");
                Settled::Again(group)
            }
            Err(error) => {
                self.state.fail(error.into());
                group.content = None;
                Settled::GivenUp
            }
        }
    }

    fn acknowledge(
        &self,
        delta: Delta,
        (sequence, held_back): (u64, Vec<MessageId>),
        owned: &FxHashMap<PartitionId, Epoch>,
    ) {
        let mut later_owned = BTreeMap::new();
        // Before the acknowledgement: what the partition sends directly from then on comes after.
        for message in delta.outgoing {
            if held_back.binary_search(&message.id).is_err() {
                continue;
            }
            match (self.router.epoch(message.to), owned.get(&message.to)) {
                (Some(epoch), Some(before)) if epoch == *before => {
                    let message = InboxMessage {
                        partition: message.to,
                        id: message.id,
                        envelope: message.envelope,
                    };
                    let (to, input) = (message.partition, Input::Message(message));
                    self.router.send_to(to, epoch, input);
                }
                (Some(epoch), _) => drop(later_owned.insert(message.to, epoch)),
                // A partition owned by another process finds it in its inbox.
                (None, _) => {}
            }
        }
        for (partition, epoch) in later_owned {
            self.deliver_from_inbox(partition, epoch);
        }
        self.router
            .set_committed(delta.partition, delta.epoch, sequence);
        let input = Input::Committed { sequence };
        self.router.send_to(delta.partition, delta.epoch, input);
    }

    /// For a partition that this process has come to own while messages to it were being committed: when it
    /// read its inbox, those were not there yet, were there, or had been dealt with by the owner before. What
    /// is there now is right in any case.
    fn deliver_from_inbox(&self, partition: PartitionId, epoch: Epoch) {
        match self.storage.inbox(&[partition]) {
            Ok(messages) => {
                let input = Input::Inbox { messages, as_of: 0 };
                self.router.send_to(partition, epoch, input);
            }
            Err(error) => {
                tracing::warn!(%error, "reading the inbox failed; taking all partitions up anew");
                self.router.start_over(&self.handover);
            }
        }
    }
}

/// What has become of a group.
#[derive(Debug)]
pub(super) enum Settled {
    /// It is durable, or has been refused for good.
    Done,
    /// Storage could not, for now.
    Again(Group),
    /// The host cannot go on.
    GivenUp,
}

#[cfg(test)]
mod tests;
