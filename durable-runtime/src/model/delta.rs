//! What a partition hands to storage: everything that changed since the last hand-over.

use chrono::{DateTime, Utc};
use rustc_hash::FxHashMap;

use super::{
    EntityRecord, Envelope, Epoch, InstanceId, InstanceRecord, MessageId, PartitionId, RequestId,
};
use super::{Rejection, Reply};

/// The progress of one partition, to be made durable as a whole.
#[derive(Debug, Clone)]
pub struct Delta {
    /// The partition.
    pub partition: PartitionId,
    /// Under which ownership it was made; a commit is refused once there is a later one.
    pub epoch: Epoch,
    /// The instances that changed, each once.
    pub instances: Vec<InstanceDelta>,
    /// Messages for inboxes (of this partition or others).
    pub outgoing: Vec<OutgoingMessage>,
    /// Messages of this partition's inbox that have been dealt with.
    pub consumed: Vec<MessageId>,
    /// Answers for clients in other processes.
    pub replies: Vec<(RequestId, Result<Reply, Rejection>)>,
    index: FxHashMap<InstanceId, usize>,
}

impl Delta {
    /// No change yet.
    pub fn new(partition: PartitionId, epoch: Epoch) -> Self {
        Self {
            partition,
            epoch,
            instances: Vec::new(),
            outgoing: Vec::new(),
            consumed: Vec::new(),
            replies: Vec::new(),
            index: FxHashMap::default(),
        }
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
            && self.outgoing.is_empty()
            && self.consumed.is_empty()
            && self.replies.is_empty()
    }

    /// Adds a change of one instance, on top of what is there of it.
    pub fn change(&mut self, change: InstanceDelta) {
        if let Some(&at) = self.index.get(change.id()) {
            self.instances[at].apply(change);
        } else {
            self.index.insert(change.id().clone(), self.instances.len());
            self.instances.push(change);
        }
    }

    /// Notes that a message has been dealt with. One that this delta was to send is never written.
    pub fn consume(&mut self, id: MessageId) {
        match self.position_of_own(id) {
            Some(at) => drop(self.outgoing.remove(at)),
            None => self.consumed.push(id),
        }
    }

    /// Adds what came after. A message that was sent in this delta and consumed in the later one is
    /// never written.
    pub fn merge(&mut self, later: Delta) {
        for change in later.instances {
            self.change(change);
        }
        for id in later.consumed {
            self.consume(id);
        }
        self.outgoing.extend(later.outgoing);
        self.replies.extend(later.replies);
    }

    /// Whether it has a message of that name to send.
    pub(crate) fn sends(&self, id: MessageId) -> bool {
        self.position_of(id).is_some()
    }

    fn position_of_own(&self, id: MessageId) -> Option<usize> {
        let at = self.position_of(id)?;
        (self.outgoing[at].to == self.partition).then_some(at)
    }

    fn position_of(&self, id: MessageId) -> Option<usize> {
        // Outgoing messages are in the order of their numbers.
        self.outgoing
            .binary_search_by_key(&id, |message| message.id)
            .ok()
    }
}

/// What happened to one instance.
#[derive(Debug, Clone)]
pub enum InstanceDelta {
    /// It was created or has changed.
    Upsert {
        /// Its row from now on.
        record: Box<InstanceRecord>,
        /// Whether all history that storage has of it goes first.
        reset_history: bool,
        /// History that is new.
        append: Vec<HistoryRow>,
    },
    /// It took a step that changes nothing of its row but the time. The row need not be written, but whoever
    /// reads it is told that time. Without a row there is nothing to do.
    Append {
        /// The instance, which storage has.
        id: InstanceId,
        /// When it was last updated.
        updated: DateTime<Utc>,
        /// History that is new; not empty.
        append: Vec<HistoryRow>,
    },
    /// It is an entity, and was created or has changed.
    Entity {
        /// Its row from now on.
        record: Box<EntityRecord>,
    },
    /// It is gone, with its history; also an entity.
    Delete {
        /// The instance.
        id: InstanceId,
    },
}

impl InstanceDelta {
    /// The instance.
    pub fn id(&self) -> &InstanceId {
        match self {
            Self::Upsert { record, .. } => &record.id,
            Self::Entity { record } => &record.id,
            Self::Append { id, .. } | Self::Delete { id } => id,
        }
    }

    fn apply(&mut self, later: InstanceDelta) {
        match later {
            Self::Append {
                updated,
                append: later,
                ..
            } => match self {
                Self::Upsert { record, append, .. } => {
                    record.updated = updated;
                    append.extend(later);
                }
                Self::Append {
                    updated: earlier,
                    append,
                    ..
                } => {
                    *earlier = updated;
                    append.extend(later);
                }
                // There is nothing to go on from.
                Self::Delete { .. } | Self::Entity { .. } => {}
            },
            Self::Upsert {
                record,
                reset_history: false,
                append: later,
            } => {
                let (reset_history, mut append) = self.take_history();
                append.extend(later);
                *self = Self::Upsert {
                    record,
                    reset_history,
                    append,
                };
            }
            later => *self = later,
        }
    }

    /// What is to become of the history, for a change that goes on from it.
    fn take_history(&mut self) -> (bool, Vec<HistoryRow>) {
        match self {
            Self::Upsert {
                reset_history,
                append,
                ..
            } => (*reset_history, std::mem::take(append)),
            Self::Append { append, .. } => (false, std::mem::take(append)),
            Self::Delete { .. } | Self::Entity { .. } => (true, Vec::new()),
        }
    }
}

/// One row of history: the events of one episode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Counted from 0 within the execution.
    pub sequence: u64,
    /// A JSON array of [`HistoryEvent`](super::HistoryEvent)s.
    pub events: String,
}

/// A message to be put into an inbox.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// The partition of the receiver.
    pub to: PartitionId,
    /// Its name.
    pub id: MessageId,
    /// What it says.
    pub envelope: Envelope,
}

/// A message found in an inbox.
#[derive(Debug, Clone)]
pub struct InboxMessage {
    /// The partition of the receiver.
    pub partition: PartitionId,
    /// Its name.
    pub id: MessageId,
    /// What it says.
    pub envelope: Envelope,
}
