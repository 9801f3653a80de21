//! What a partition thread does: it runs the orchestrators of several partitions, outside of any async runtime, and
//! now and then begins an activity within one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::activities::Executor;
use super::busy::Busy;
#[cfg(feature = "simulation")]
use super::committer::Group;
use super::committer::{Committer, HandedOver};
use super::crew::{Crew, Job, Membership, Work};
use super::loader::LoadRequest;
use super::router::{Acquired, Router, ThreadInput};
use super::state::HostState;
use super::watchers::Watchers;
use crate::clock;
use crate::model::{Delta, Epoch, InboxMessage, MessageId, PartitionId};
use crate::partition::{Effect, Input, Live, Output, Partition};

/// What a worker begins with.
#[derive(Debug)]
pub(super) struct WorkerSetup {
    pub(super) inputs: Receiver<ThreadInput>,
    pub(super) committer: Arc<Committer>,
    pub(super) loads: Sender<LoadRequest>,
    pub(super) executor: Executor,
    pub(super) router: Arc<Router>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) busy: Arc<Busy>,
    pub(super) state: Arc<HostState>,
}

impl WorkerSetup {
    pub(super) fn worker(self, membership: Membership<Box<Worker>>) -> Worker {
        Worker {
            setup: self,
            partitions: FxHashMap::default(),
            next_input: None,
            activity: None,
            _membership: membership,
        }
    }
}

/// What runs several partitions, on one thread at a time.
pub(super) struct Worker {
    setup: WorkerSetup,
    partitions: FxHashMap<PartitionId, Owned>,
    /// What has arrived already.
    next_input: Option<ThreadInput>,
    /// May begin on this thread.
    activity: Option<Job>,
    /// The last field: the worker has ended when all of it has been dropped.
    _membership: Membership<Box<Worker>>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

impl Work for Box<Worker> {
    type Bound = Vec<Live>;

    fn unbind(&mut self) -> Vec<Live> {
        self.evict_live()
    }
}

/// Why a worker does not go on in its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The host stops.
    Stopped,
    /// Another thread has gone on with it.
    Replaced,
}

/// What came of a round.
#[cfg(feature = "simulation")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    Inputs,
    NoInputs,
    /// The host stops.
    Stopped,
}

/// A partition with the effects that wait for commits.
#[derive(Debug)]
struct Owned {
    partition: Partition,
    waiting: VecDeque<(u64, Vec<Effect>)>,
    handed_over: u64,
    committed: u64,
    /// The receivers of messages that wait for a commit, and for which.
    held_back: FxHashMap<PartitionId, u64>,
}

/// How many inputs are taken, and how many instances run, before progress is handed over.
const BATCH: usize = 512;
/// How many deltas of a partition may be on their way into storage before its instances wait. Nothing
/// else bounds what they do among themselves while storage takes nothing.
const RUN_AHEAD: u64 = 1024;
/// How often idle instances are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

impl Owned {
    fn is_too_far_ahead(&self) -> bool {
        self.handed_over - self.committed > RUN_AHEAD
    }

    /// The messages that go to other partitions of this process at once, with the epochs of those, and
    /// the names of those that have to wait for the commit of the delta `sequence`.
    fn divide(
        &mut self,
        delta: &Delta,
        sequence: u64,
        router: &Router,
    ) -> (Vec<(Epoch, InboxMessage)>, Vec<MessageId>) {
        let (mut direct, mut held_back) = (Vec::new(), Vec::new());
        let owned = router.epochs();
        for message in &delta.outgoing {
            if message.to == delta.partition {
                continue;
            }
            // None goes past one that waits.
            let waits = self.held_back.get(&message.to);
            let waits = waits.is_some_and(|sequence| *sequence > self.committed);
            match owned.get(&message.to) {
                Some(&epoch) if !waits => {
                    let message = InboxMessage {
                        partition: message.to,
                        id: message.id,
                        envelope: message.envelope.clone(),
                    };
                    direct.push((epoch, message));
                }
                _ => {
                    self.held_back.insert(message.to, sequence);
                    held_back.push(message.id);
                }
            }
        }
        (direct, held_back)
    }
}

impl Worker {
    /// Runs until the host stops, or in another thread.
    pub(super) fn run(mut self: Box<Self>, crew: &Crew<Box<Self>>) -> Ended {
        while self.wait_for_inputs() {
            if self.activity.is_some() && self.has_more_to_do() {
                self.spawn_activity();
            }
            self.progress(BATCH);
            if self.activity.is_some() && !self.is_at_rest() {
                self.spawn_activity();
            }
            self.have_committed();
            let Some(activity) = self.activity.take() else {
                continue;
            };
            self = match crew.begin(self, activity) {
                Ok(worker) => worker,
                // What is left is dropped here, in the thread that it belongs to.
                Err(_) => return Ended::Replaced,
            };
        }
        self.finish();
        Ended::Stopped
    }

    /// Leaves what may begin on this thread to the async runtime.
    fn spawn_activity(&mut self) {
        if let Some(activity) = self.activity.take() {
            self.setup.executor.spawn(activity);
        }
    }

    /// Whether another thread may go on in place of this one.
    fn is_at_rest(&self) -> bool {
        let mut partitions = self.partitions.values();
        partitions.all(|owned| owned.waiting.is_empty() && owned.partition.is_at_rest())
    }

    fn evict_live(&mut self) -> Vec<Live> {
        let partitions = self.partitions.values_mut();
        partitions
            .flat_map(|owned| owned.partition.evict_live())
            .collect()
    }

    /// Goes on as in another thread, if it may; whether it does.
    #[cfg(feature = "simulation")]
    pub(super) fn change_threads(&mut self) -> bool {
        let may_change = !self.has_more_to_do() && self.is_at_rest();
        if may_change {
            let mut partitions = self.partitions.values();
            assert!(partitions.all(|owned| owned.partition.are_live_at_rest()));
            drop(self.evict_live());
        }
        may_change
    }

    /// What the thread does from one wait to the next, without the wait. Takes up to `batch` inputs and runs
    /// up to `batch` instances of each partition.
    #[cfg(feature = "simulation")]
    pub(super) fn round(&mut self, batch: usize) -> Round {
        let first = self.next_input.take();
        let first = first.or_else(|| self.setup.inputs.try_recv().ok());
        let has_inputs = first.is_some();
        if !self.take_inputs(first, batch) {
            return Round::Stopped;
        }
        self.progress(batch);
        self.spawn_activity();
        if has_inputs {
            Round::Inputs
        } else {
            Round::NoInputs
        }
    }

    /// When [`round`](Self::round) has something to do, even if no input comes.
    #[cfg(feature = "simulation")]
    pub(super) fn next_round(&self) -> Duration {
        match self.next_input {
            Some(_) => Duration::ZERO,
            None => self.next_wake(),
        }
    }

    /// How many deltas of one of its partitions, at most, are on their way into storage.
    #[cfg(feature = "simulation")]
    pub(super) fn runs_ahead(&self) -> u64 {
        let partitions = self.partitions.values();
        let ahead = partitions.map(|owned| owned.handed_over - owned.committed);
        ahead.max().unwrap_or_default()
    }

    /// What [`have_committed`](Self::have_committed) begins with, after a [`round`](Self::round): what is given
    /// is for this thread to commit. Without `is_willing` it leaves that to the committing thread in any case.
    #[cfg(feature = "simulation")]
    pub(super) fn take_commit(&mut self, is_willing: bool) -> Option<Group> {
        if self.has_more_to_do() || !is_willing {
            self.setup.committer.handover.call();
            return None;
        }
        self.setup.committer.take_little()
    }

    fn progress(&mut self, batch: usize) {
        let now = clock::now();
        for owned in self.partitions.values_mut() {
            owned.partition.advance(now);
        }
        self.step(batch);
        self.hand_over();
    }

    /// Hands the rest over, and releases what waits for that to be durable.
    fn finish(&mut self) {
        const ROUND: Duration = Duration::from_millis(50);
        self.hand_over_rest();
        while self.is_finishing() {
            if let Ok(input) = self.setup.inputs.recv_timeout(ROUND) {
                self.take_last(input);
            }
        }
        self.leave();
    }

    /// [`finish`](Self::finish) up to where it waits.
    #[cfg(feature = "simulation")]
    pub(super) fn begin_to_finish(&mut self) {
        self.hand_over_rest();
    }

    /// What [`finish`](Self::finish) does from one wait to the next; `false` when the thread has ended.
    #[cfg(feature = "simulation")]
    pub(super) fn finish_round(&mut self) -> bool {
        if let Ok(input) = self.setup.inputs.try_recv() {
            self.take_last(input);
        }
        let goes_on = self.is_finishing();
        if !goes_on {
            self.leave();
        }
        goes_on
    }

    fn hand_over_rest(&mut self) {
        self.spawn_activity();
        // What has arrived is recorded when its instance runs. Each gets one turn and no more, for
        // some never come to rest.
        for owned in self.partitions.values_mut() {
            for _ in 0..owned.partition.waiting_for_a_turn() {
                owned.partition.step();
            }
        }
        self.hand_over();
        self.setup.committer.handover.call();
    }

    /// Whether effects wait for commits.
    fn is_finishing(&self) -> bool {
        let mut partitions = self.partitions.values();
        partitions.any(|owned| !owned.waiting.is_empty()) && !self.setup.state.is_abandoned()
    }

    fn take_last(&mut self, input: ThreadInput) {
        match input {
            ThreadInput::Partition { id, epoch, input } => {
                let owned = self
                    .partitions
                    .get(&id)
                    .map(|owned| owned.partition.epoch());
                if let Some(sequence) = input.committed()
                    && owned == epoch
                {
                    self.release(id, sequence);
                }
            }
            // Its commits are refused, so nothing of it will ever be durable.
            ThreadInput::Disown(id) => drop(self.partitions.remove(&id)),
            ThreadInput::Own(_) | ThreadInput::Stop => {}
        }
        self.spawn_activity();
    }

    fn leave(&self) {
        for (id, owned) in &self.partitions {
            self.setup.router.disown(*id, owned.partition.epoch());
        }
        self.setup.watchers.recheck_all();
    }

    /// Waits for inputs and takes them; `false` when the host stops.
    fn wait_for_inputs(&mut self) -> bool {
        let first = match self.next_input.take() {
            Some(input) => Ok(input),
            None => self.setup.inputs.recv_timeout(self.next_wake()),
        };
        match first {
            Ok(first) => self.take_inputs(Some(first), BATCH),
            Err(RecvTimeoutError::Timeout) => self.take_inputs(None, BATCH),
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// Takes `next` and what else has come, up to `batch` inputs; `false` when the host stops.
    fn take_inputs(&mut self, mut next: Option<ThreadInput>, batch: usize) -> bool {
        // What is new is handled at the present time, not at that of the last round.
        let now = clock::now();
        for owned in self.partitions.values_mut() {
            owned.partition.set_time(now);
        }
        for _ in 0..batch {
            match next {
                None => break,
                Some(ThreadInput::Stop) => return false,
                Some(input) => self.take(input),
            }
            next = self.setup.inputs.try_recv().ok();
        }
        if let Some(last) = next {
            if matches!(last, ThreadInput::Stop) {
                return false;
            }
            self.take(last);
        }
        true
    }

    fn has_work(&self) -> bool {
        let mut partitions = self.partitions.values();
        partitions.any(|owned| owned.partition.has_work() && !owned.is_too_far_ahead())
    }

    fn next_wake(&self) -> Duration {
        if self.has_work() {
            return Duration::ZERO;
        }
        let partitions = self.partitions.values();
        partitions
            .filter_map(|owned| owned.partition.next_due())
            .min()
            .map_or(HOUSEKEEPING, |due| clock::until(due).min(HOUSEKEEPING))
    }

    fn take(&mut self, input: ThreadInput) {
        match input {
            ThreadInput::Partition { id, epoch, input } => {
                let Some(owned) = self.partitions.get_mut(&id) else {
                    if let Input::ActivityStarting { work } = *input {
                        self.setup.executor.skip(id, (work.lineage, work.task));
                    }
                    return;
                };
                if epoch.is_some_and(|epoch| epoch != owned.partition.epoch()) {
                    return;
                }
                let committed = input.committed();
                owned.partition.handle(*input);
                if let Some(sequence) = committed {
                    self.release(id, sequence);
                }
            }
            ThreadInput::Own(acquired) => {
                let Acquired { config, due, inbox } = *acquired;
                let id = config.id;
                let owned = Owned {
                    partition: Partition::new(config, clock::now(), due, inbox),
                    waiting: VecDeque::new(),
                    handed_over: 0,
                    committed: 0,
                    held_back: FxHashMap::default(),
                };
                if self.partitions.insert(id, owned).is_some() {
                    self.setup.executor.skip_all(id);
                    // Another worker may have owned it in between.
                    self.setup.watchers.recheck_all();
                }
            }
            ThreadInput::Disown(id) => {
                self.partitions.remove(&id);
                self.setup.executor.skip_all(id);
                self.setup.watchers.recheck_all();
            }
            ThreadInput::Stop => {}
        }
    }

    /// Runs instances, up to a bound, in all partitions.
    fn step(&mut self, batch: usize) {
        for owned in self.partitions.values_mut() {
            if owned.is_too_far_ahead() {
                continue;
            }
            for _ in 0..batch {
                let Some(id) = owned.partition.next_up() else {
                    break;
                };
                self.setup.busy.begin(id);
                owned.partition.step();
                self.setup.busy.end();
            }
        }
    }

    fn hand_over(&mut self) {
        let ids: Vec<_> = self.partitions.keys().copied().collect();
        for id in ids {
            let Some(owned) = self.partitions.get_mut(&id) else {
                continue;
            };
            let epoch = owned.partition.epoch();
            for query in owned.partition.take_queries() {
                let request = LoadRequest {
                    partition: id,
                    epoch,
                    query,
                };
                // The loader ends after the partition threads.
                let _ = self.setup.loads.send(request);
            }
            let Some(Output {
                sequence,
                delta,
                effects,
            }) = owned.partition.take_output()
            else {
                continue;
            };
            if !effects.is_empty() {
                owned.waiting.push_back((sequence, effects));
            }
            owned.handed_over = sequence;
            let router = &self.setup.router;
            let (direct, held_back) = owned.divide(&delta, sequence, router);
            let handed_over = HandedOver {
                delta,
                sequence,
                held_back,
            };
            self.setup.committer.handover.add(handed_over, || {
                for (epoch, message) in direct {
                    router.send_to(message.partition, epoch, Input::Message(message));
                }
            });
        }
    }

    /// Has what was handed over committed: by this thread, if it has nothing else to do.
    fn have_committed(&mut self) {
        if self.has_more_to_do() {
            self.setup.committer.handover.call();
        } else {
            self.setup.committer.commit_little();
        }
    }

    fn has_more_to_do(&mut self) -> bool {
        if self.next_input.is_none() {
            self.next_input = self.setup.inputs.try_recv().ok();
        }
        self.next_input.is_some() || self.has_work()
    }

    /// Releases the effects that the commits up to `sequence` have caused.
    fn release(&mut self, id: PartitionId, sequence: u64) {
        let Some(owned) = self.partitions.get_mut(&id) else {
            return;
        };
        owned.committed = owned.committed.max(sequence);
        while let Some((number, _)) = owned.waiting.front()
            && *number <= owned.committed
        {
            let Some((_, effects)) = owned.waiting.pop_front() else {
                return;
            };
            for effect in effects {
                match effect {
                    Effect::RunActivity(work) => {
                        // One that is alone is the only one that is given back.
                        if let Some(activity) = self.setup.executor.admit(work)
                            && let Some(earlier) = self.activity.replace(activity)
                        {
                            self.setup.executor.spawn(earlier);
                        }
                    }
                    Effect::RunEntity(work) => {
                        let epoch = owned.partition.epoch();
                        self.setup.executor.run_entity(id, epoch, work);
                    }
                    Effect::SkipActivity { lineage, task } => {
                        self.setup.executor.skip(id, (lineage, task));
                    }
                    Effect::CancelActivities(instance) => self.setup.executor.cancel(&instance),
                    Effect::Reply(responder, result) => (responder.0)(result),
                    Effect::Ended(record) => self.setup.watchers.ended(&record),
                }
            }
        }
    }
}
