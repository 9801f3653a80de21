//! Pure: a partition of a task hub as a state machine. Inputs go in (commands, results, loaded
//! instances, the time), and out come a [`Delta`] to be committed, effects to be released once it
//! is, and queries to be answered from storage. It does no I/O and reads no clock.

mod cache;
mod check;
mod commands;
mod due;
mod entities;
mod entity;
mod episode;
mod inbox;
mod instance;
mod left_alone;
mod locks;
mod rewind;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustc_hash::{FxHashMap, FxHashSet};

use cache::Slot;
use due::DueQueue;
use entities::Entities;
pub(crate) use entity::{EntityRun, EntityWork};
use inbox::SeenMessages;
use instance::Instance;
pub(crate) use instance::Live;
use left_alone::LeftAlone;

use crate::context::States;
use crate::model::{
    Command, Delta, Due, EntityRecord, Envelope, Epoch, ExecutionId, Failure, InboxMessage,
    InstanceId, InstanceRecord, MessageId, MessageOrigin, OutgoingMessage, PartitionId, Payload,
    Rejection, Reply, RequestId, StoredInstance, TaskId,
};
use crate::registry::Registry;

/// What a partition is and how it is to behave.
#[derive(Debug, Clone)]
pub(crate) struct PartitionConfig {
    pub(crate) id: PartitionId,
    pub(crate) epoch: Epoch,
    /// Whether the owner before gave the partition back in good order.
    pub(crate) clean: bool,
    pub(crate) partition_count: u32,
    pub(crate) registry: Arc<Registry>,
    pub(crate) max_payload_bytes: usize,
    /// Live instances above this number are evicted, the longest unused first.
    pub(crate) max_cached_instances: usize,
    /// Live instances unused for this long are evicted.
    pub(crate) idle_timeout: Duration,
    /// How often an activity may take its process down before it is given up.
    pub(crate) max_activity_attempts: u32,
    /// Whether each episode is repeated by a replay right after it ran.
    pub(crate) replay_check: bool,
    /// How many operations of an entity are carried out together.
    pub(crate) max_entity_batch: usize,
    /// What the host injects into operations.
    pub(crate) states: Arc<States>,
}

#[cfg(test)]
impl PartitionConfig {
    /// The only partition of a hub, with room for nothing.
    pub(crate) fn small(id: PartitionId) -> Self {
        Self {
            id,
            epoch: Epoch(1),
            clean: true,
            partition_count: 1,
            registry: Arc::new(Registry::default()),
            max_payload_bytes: 1_024,
            max_cached_instances: 1,
            idle_timeout: Duration::ZERO,
            max_activity_attempts: 1,
            replay_check: false,
            max_entity_batch: 1,
            states: Arc::default(),
        }
    }
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// A client of this process asks for something.
    Request {
        to: InstanceId,
        command: Command,
        responder: Responder,
    },
    /// A message for the inbox was sent in this process; it need not be committed yet.
    Message(InboxMessage),
    /// The inbox was read, when the commits up to `as_of` were in it.
    Inbox {
        messages: Vec<InboxMessage>,
        as_of: u64,
    },
    /// The answer to [`Query::Instance`].
    Loaded {
        id: InstanceId,
        /// `None` if there is none; an error if its row cannot be read.
        stored: Result<Option<StoredInstance>, String>,
    },
    /// The answer to [`Query::Children`].
    Children {
        id: InstanceId,
        children: Vec<InstanceId>,
    },
    /// The answer to [`Query::Entity`].
    EntityLoaded {
        id: InstanceId,
        /// As in [`Loaded`](Self::Loaded).
        stored: Result<Option<EntityRecord>, String>,
    },
    /// A batch of an entity has run on the async runtime.
    EntityRan { id: InstanceId, done: EntityRun },
    /// An executor is about to run an activity that asked for confirmation.
    ActivityStarting { work: ActivityWork },
    /// An activity has ended.
    ActivityEnded {
        instance: InstanceId,
        lineage: ExecutionId,
        task: TaskId,
        outcome: Result<Payload, Failure>,
    },
    /// All output up to this number is durable.
    Committed { sequence: u64 },
}

impl Input {
    /// Up to where everything is durable, if that is what the input says.
    pub(crate) fn committed(&self) -> Option<u64> {
        match self {
            Self::Committed { sequence } => Some(*sequence),
            _ => None,
        }
    }
}

/// Something to be done once the delta it came with is durable.
#[derive(Debug)]
pub(crate) enum Effect {
    RunActivity(ActivityWork),
    /// An activity that was to be confirmed is not wanted any more.
    SkipActivity {
        lineage: ExecutionId,
        task: TaskId,
    },
    CancelActivities(InstanceId),
    /// Run a batch of an entity on the async runtime.
    RunEntity(EntityWork),
    Reply(Responder, Result<Reply, Rejection>),
    /// The instance has ended; whoever waits for it gets the record.
    Ended(Arc<InstanceRecord>),
}

/// An activity to be run.
#[derive(Debug, Clone)]
pub(crate) struct ActivityWork {
    pub(crate) instance: InstanceId,
    pub(crate) lineage: ExecutionId,
    pub(crate) task: TaskId,
    pub(crate) name: String,
    pub(crate) input: Payload,
    /// Counted from 1.
    pub(crate) attempt: u32,
    pub(crate) confirmation: Confirmation,
}

/// An activity that was under way when the last owner of its partition crashed may have been the
/// reason. Its executor says so before it begins, and goes on when that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    NotNeeded,
    Wanted,
    Given,
}

/// Something to be read from storage and put in as an [`Input`].
#[derive(Debug)]
pub(crate) enum Query {
    Instance(InstanceId),
    Entity(InstanceId),
    Children(InstanceId),
}

/// Takes the answer to a request.
pub(crate) struct Responder(pub(crate) Box<dyn FnOnce(Result<Reply, Rejection>) + Send>);

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}

/// What a partition has to hand over.
#[derive(Debug)]
pub(crate) struct Output {
    /// Counts the hand-overs.
    pub(crate) sequence: u64,
    /// May be empty; the effects still wait for what was handed over before, here or by a partition
    /// whose message is the reason.
    pub(crate) delta: Delta,
    pub(crate) effects: Vec<Effect>,
}

/// A command with the way back to who asked.
#[derive(Debug)]
struct Request {
    to: InstanceId,
    command: Command,
    from: Origin,
}

/// Who asked.
#[derive(Debug)]
enum Origin {
    Local(Responder),
    Inbox {
        id: MessageId,
        request: Option<RequestId>,
    },
}

/// Something that waits for an instance to be loaded.
#[derive(Debug)]
enum Job {
    Request(Request),
    ActivityStarting(ActivityWork),
    ActivityEnded {
        lineage: ExecutionId,
        task: TaskId,
        outcome: Result<Payload, Failure>,
    },
}

impl Job {
    /// Whether it is known without looking that there is no such instance.
    fn makes_its_id(&self) -> bool {
        let Job::Request(Request {
            command: Command::Start(start),
            ..
        }) = self
        else {
            return false;
        };
        start.has_new_id
    }
}

/// One partition, in memory.
#[derive(Debug)]
pub(crate) struct Partition {
    config: PartitionConfig,
    now: DateTime<Utc>,
    slots: FxHashMap<InstanceId, Slot>,
    entities: Entities,
    runnable: VecDeque<InstanceId>,
    /// Messages to instances of this very partition, which need not wait for the commit.
    local: VecDeque<InboxMessage>,
    due: DueQueue,
    /// Instances that a new owner has to take up, not all at once.
    recovering: VecDeque<InstanceId>,
    loading: usize,
    /// Activities that executors of this process have, by lineage.
    running: FxHashSet<(ExecutionId, TaskId)>,
    seen: SeenMessages,
    /// What is to be carried out, in this order, when the children of an instance are known.
    waiting_for_children: FxHashMap<InstanceId, Vec<Request>>,
    /// Instances that this worker has no code for.
    left_alone: LeftAlone,
    used: VecDeque<(InstanceId, u64)>,
    live: usize,
    stamp: u64,
    changed: VecDeque<(u64, InstanceId)>,
    delta: Delta,
    effects: Vec<Effect>,
    queries: Vec<Query>,
    sequence: u64,
    committed: u64,
    next_message: u64,
}

/// An owner has the numbers of its messages above all of the owners before it, and so many bits to
/// count them that it does not reach those of the next one: storage would take what that sends for
/// repetitions. 32 bits would last a busy partition for a few days.
const MESSAGE_BITS: u32 = 40;
// What is left counts the owners, in the 63 bits that storage keeps: one each 15 seconds, for years.
const _: () = assert!(1_u64 << (63 - MESSAGE_BITS) > 8_000_000);

/// How many instances are loaded at a time while a new owner takes up what is due.
const MAX_RECOVERING: usize = 64;

impl Partition {
    /// A partition that was just acquired. `due` and `inbox` are what storage has for it.
    pub(crate) fn new(
        config: PartitionConfig,
        now: DateTime<Utc>,
        due: Vec<(InstanceId, Due)>,
        inbox: Vec<InboxMessage>,
    ) -> Self {
        let delta = Delta::new(config.id, config.epoch);
        let next_message = config.epoch.0 << MESSAGE_BITS;
        let mut partition = Self {
            config,
            now,
            slots: FxHashMap::default(),
            entities: Entities::default(),
            runnable: VecDeque::new(),
            local: VecDeque::new(),
            due: DueQueue::default(),
            recovering: VecDeque::new(),
            loading: 0,
            running: FxHashSet::default(),
            seen: SeenMessages::default(),
            waiting_for_children: FxHashMap::default(),
            left_alone: LeftAlone::default(),
            used: VecDeque::new(),
            live: 0,
            stamp: 0,
            changed: VecDeque::new(),
            delta,
            effects: Vec::new(),
            queries: Vec::new(),
            sequence: 0,
            committed: 0,
            next_message,
        };
        for (id, due) in due {
            match due {
                Due::Now => partition.recovering.push_back(id),
                Due::At(time) => partition.due.insert(time, id),
            }
        }
        partition.handle(Input::Inbox {
            messages: inbox,
            as_of: 0,
        });
        partition.recover();
        partition
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.config.epoch
    }

    /// Takes note of the time.
    pub(crate) fn set_time(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    /// Takes note of the time, and of what is due by it.
    pub(crate) fn advance(&mut self, now: DateTime<Utc>) {
        self.set_time(now);
        while let Some(id) = self.due.pop(self.now) {
            if id.is_entity() {
                self.entity_due(&id);
                continue;
            }
            match self.slots.get_mut(&id) {
                Some(Slot::Present(instance)) => {
                    instance.queued_due = None;
                    self.wake(&id);
                }
                Some(Slot::Loading(_) | Slot::Deleted { .. }) => {}
                None => self.load(id, Vec::new()),
            }
        }
        self.evict_idle();
        self.evict_idle_entities();
        self.left_alone.report(self.now, self.config.id);
    }

    /// When [`advance`](Self::advance) has to be called at the latest.
    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        let times = [self.due.next(), self.left_alone.next_report()];
        times.into_iter().flatten().min()
    }

    /// Takes an input. Code runs in [`step`](Self::step).
    pub(crate) fn handle(&mut self, input: Input) {
        match input {
            Input::Request {
                to,
                command,
                responder,
            } => self.request(Request {
                to,
                command,
                from: Origin::Local(responder),
            }),
            Input::Message(message) => self.message(message),
            Input::Inbox { messages, as_of } => {
                for message in messages {
                    self.message(message);
                }
                self.seen.forget(as_of);
            }
            Input::Loaded { id, stored } => self.loaded(id, stored),
            Input::EntityLoaded { id, stored } => self.entity_loaded(id, stored),
            Input::EntityRan { id, done } => self.entity_ran(&id, done),
            Input::Children { id, children } => self.children_found(&id, &children),
            Input::ActivityStarting { work } => {
                let id = work.instance.clone();
                self.job(id, Job::ActivityStarting(work));
            }
            Input::ActivityEnded {
                instance,
                lineage,
                task,
                outcome,
            } => {
                let job = Job::ActivityEnded {
                    lineage,
                    task,
                    outcome,
                };
                self.job(instance, job);
            }
            Input::Committed { sequence } => self.commit_acknowledged(sequence),
        }
    }

    /// The instance that [`step`](Self::step) runs next; `None` when there is none.
    pub(crate) fn next_up(&mut self) -> Option<InstanceId> {
        while let Some(message) = self.local.pop_front() {
            let Envelope { to, command, .. } = message.envelope;
            let from = Origin::Inbox {
                id: message.id,
                request: None,
            };
            self.request(Request { to, command, from });
        }
        self.runnable.front().cloned()
    }

    /// Runs the next instance.
    pub(crate) fn step(&mut self) {
        if self.next_up().is_some()
            && let Some(id) = self.runnable.pop_front()
        {
            self.run(&id);
        }
    }

    /// Whether [`step`](Self::step) has something to do.
    pub(crate) fn has_work(&self) -> bool {
        !self.runnable.is_empty() || !self.local.is_empty()
    }

    /// Whether all that is in memory is durable and waits for nothing but inputs and the time.
    pub(crate) fn is_at_rest(&self) -> bool {
        !self.has_work()
            && self.delta.is_empty()
            && self.effects.is_empty()
            && self.waiting_for_children.is_empty()
            && self.committed == self.sequence
    }

    /// How many calls of [`step`](Self::step) give every instance that has something to do a turn.
    pub(crate) fn waiting_for_a_turn(&self) -> usize {
        self.runnable.len() + self.local.len()
    }

    /// What is to be handed over; `None` when there is nothing.
    pub(crate) fn take_output(&mut self) -> Option<Output> {
        if self.delta.is_empty() && self.effects.is_empty() {
            return None;
        }
        self.sequence += 1;
        let empty = Delta::new(self.config.id, self.config.epoch);
        Some(Output {
            sequence: self.sequence,
            delta: std::mem::replace(&mut self.delta, empty),
            effects: std::mem::take(&mut self.effects),
        })
    }

    /// What is to be read from storage, now.
    pub(crate) fn take_queries(&mut self) -> Vec<Query> {
        std::mem::take(&mut self.queries)
    }

    fn message(&mut self, message: InboxMessage) {
        if !self.seen.insert(message.id) {
            return;
        }
        let Envelope {
            to,
            command,
            request,
        } = message.envelope;
        let from = Origin::Inbox {
            id: message.id,
            request,
        };
        self.request(Request { to, command, from });
    }

    fn request(&mut self, request: Request) {
        if request.to.is_entity() {
            self.entity_request(request);
            return;
        }
        self.job(request.to.clone(), Job::Request(request));
    }

    /// Does `job`, or has the instance loaded first.
    fn job(&mut self, id: InstanceId, job: Job) {
        match self.slots.get_mut(&id) {
            Some(Slot::Loading(jobs)) => jobs.push(job),
            Some(_) => self.do_job(&id, job),
            None if job.makes_its_id() => {
                self.slots
                    .insert(id.clone(), Slot::Deleted { changed_in: 0 });
                self.do_job(&id, job);
                self.let_go(&id);
            }
            None => self.load(id, vec![job]),
        }
    }

    fn do_job(&mut self, id: &InstanceId, job: Job) {
        match job {
            Job::Request(request) => self.command(request),
            Job::ActivityStarting(work) => self.activity_starting(work),
            Job::ActivityEnded {
                lineage,
                task,
                outcome,
            } => {
                // Not before its instance is loaded, which would otherwise take it for lost.
                self.running.remove(&(lineage, task));
                self.activity_ended(id, lineage, task, outcome);
            }
        }
    }

    /// Answers whoever asked, once the open delta is durable.
    fn answer(&mut self, origin: Origin, result: Result<Reply, Rejection>) {
        match origin {
            Origin::Local(responder) => self.effects.push(Effect::Reply(responder, result)),
            Origin::Inbox { id, request } => {
                self.delta.consume(id);
                self.seen.consumed(id, self.sequence + 1);
                if let Some(request) = request {
                    self.delta.replies.push((request, result));
                }
            }
        }
    }

    /// Sends a command to an instance, durably and exactly once.
    fn send(&mut self, to: InstanceId, command: Command) {
        let partition = to.partition(self.config.partition_count);
        self.next_message += 1;
        let id = MessageId {
            origin: MessageOrigin::Partition(self.config.id),
            number: self.next_message,
        };
        let envelope = Envelope {
            to,
            command,
            request: None,
        };
        if partition == self.config.id {
            self.seen.insert(id);
            self.local.push_back(InboxMessage {
                partition,
                id,
                envelope: envelope.clone(),
            });
        }
        self.delta.outgoing.push(OutgoingMessage {
            to: partition,
            id,
            envelope,
        });
    }

    fn make_runnable(&mut self, instance: &mut Instance) {
        if !instance.runnable {
            instance.runnable = true;
            self.runnable.push_back(instance.record.id.clone());
        }
    }
}
