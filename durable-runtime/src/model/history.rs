//! The history of an execution: what happened to it and what it did, in order.
//!
//! An episode is stored as one row: the events that arrived, then
//! [`OrchestratorStarted`](EventKind::OrchestratorStarted), then what the code did. Events that
//! arrive while no code may run (a suspended instance) are stored alone and belong to the next
//! episode.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{EntityId, ExecutionId, Failure, InstanceId, Payload, Tags, TaskId};

/// One event. In storage a pair `[microseconds since 1970, {"Kind": {..}}]`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    /// When it was recorded.
    pub timestamp: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
}

impl HistoryEvent {
    /// An event of the time `timestamp`.
    pub fn new(timestamp: DateTime<Utc>, kind: EventKind) -> Self {
        Self { timestamp, kind }
    }
}

impl Serialize for HistoryEvent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.timestamp.timestamp_micros(), &self.kind).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HistoryEvent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (micros, kind) = <(i64, EventKind)>::deserialize(deserializer)?;
        let timestamp = DateTime::from_timestamp_micros(micros)
            .ok_or_else(|| serde::de::Error::custom("timestamp out of range"))?;
        Ok(Self { timestamp, kind })
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventKind {
    /// The execution began.
    ExecutionStarted(Box<ExecutionStarted>),
    /// An operator rewound the failed execution.
    ExecutionRewound {
        /// The execution that began with this.
        execution: ExecutionId,
        /// The operator's reason.
        reason: String,
    },
    /// The code ran; the event's timestamp is the orchestration's time for the whole episode.
    OrchestratorStarted,
    /// The code called an activity.
    TaskScheduled {
        /// The call.
        id: TaskId,
        /// The activity.
        name: String,
        /// What it was given.
        input: Payload,
    },
    /// An activity that a crash interrupted is about to be run again.
    TaskRestarted {
        /// The call.
        id: TaskId,
    },
    /// An activity returned.
    TaskCompleted {
        /// The call.
        id: TaskId,
        /// What it returned.
        result: Payload,
    },
    /// An activity failed.
    TaskFailed {
        /// The call.
        id: TaskId,
        /// How.
        failure: Failure,
    },
    /// The code called another orchestrator.
    SubOrchestrationCreated {
        /// The call.
        id: TaskId,
        /// The instance that runs it.
        instance: InstanceId,
        /// The orchestrator.
        name: String,
        /// Its version, where one was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// What it was given.
        input: Payload,
    },
    /// A sub-orchestration returned.
    SubOrchestrationCompleted {
        /// The call.
        id: TaskId,
        /// What it returned.
        result: Payload,
    },
    /// A sub-orchestration failed.
    SubOrchestrationFailed {
        /// The call.
        id: TaskId,
        /// How.
        failure: Failure,
    },
    /// The code called an operation of an entity.
    EntityCalled {
        /// The call.
        id: TaskId,
        /// The entity.
        entity: EntityId,
        /// The operation.
        operation: String,
        /// What it was given.
        input: Payload,
    },
    /// An operation that was called returned.
    EntityCompleted {
        /// The call.
        id: TaskId,
        /// What it returned.
        result: Payload,
    },
    /// An operation that was called failed.
    EntityFailed {
        /// The call.
        id: TaskId,
        /// How.
        failure: Failure,
    },
    /// The code sent a signal to an entity.
    EntitySignaled {
        /// The call.
        id: TaskId,
        /// The entity.
        entity: EntityId,
        /// The operation.
        operation: String,
        /// What it was given.
        input: Payload,
        /// When it is to be carried out, where that was put off.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            with = "chrono::serde::ts_microseconds_option"
        )]
        at: Option<DateTime<Utc>>,
    },
    /// The code asked for a critical section over entities.
    LockRequested {
        /// The call.
        id: TaskId,
        /// The entities, each once, in order.
        entities: Vec<EntityId>,
    },
    /// All entities of a critical section are locked. Comes again after a rewind, which the section
    /// was released before.
    LockGranted {
        /// The call.
        id: TaskId,
    },
    /// The entities of a critical section could not be locked.
    LockFailed {
        /// The call.
        id: TaskId,
        /// Why.
        failure: Failure,
    },
    /// The code ended a critical section, or gave up asking for it.
    LockReleased {
        /// The call that had asked for it.
        id: TaskId,
    },
    /// The code created a timer.
    TimerCreated {
        /// The timer.
        id: TaskId,
        /// When it is due.
        #[serde(with = "chrono::serde::ts_microseconds")]
        fire_at: DateTime<Utc>,
    },
    /// A timer was due.
    TimerFired {
        /// The timer.
        id: TaskId,
    },
    /// An external event arrived.
    EventRaised {
        /// Its name, as it was raised.
        name: String,
        /// What it carries.
        data: Payload,
    },
    /// The code sent an event to another instance.
    EventSent {
        /// The call.
        id: TaskId,
        /// The receiver.
        instance: InstanceId,
        /// The event's name.
        name: String,
        /// What it carries.
        data: Payload,
    },
    /// The code asked for a patch, and does what is new with it.
    PatchMarked {
        /// The patch.
        patch: String,
        /// Whether the code does so in any case, and may be without the call.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deprecated: bool,
    },
    /// An operator suspended the instance.
    ExecutionSuspended {
        /// The operator's reason.
        reason: String,
    },
    /// An operator resumed the instance.
    ExecutionResumed {
        /// The operator's reason.
        reason: String,
    },
    /// An operator, or the termination of the parent, ended the instance.
    ExecutionTerminated {
        /// The reason.
        reason: String,
    },
    /// The orchestrator returned.
    ExecutionCompleted {
        /// What it returned.
        result: Payload,
    },
    /// The orchestrator failed.
    ExecutionFailed {
        /// How.
        failure: Failure,
    },
}

impl EventKind {
    /// The name of the kind, as it stands in storage.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ExecutionStarted(_) => "ExecutionStarted",
            Self::ExecutionRewound { .. } => "ExecutionRewound",
            Self::OrchestratorStarted => "OrchestratorStarted",
            Self::TaskScheduled { .. } => "TaskScheduled",
            Self::TaskRestarted { .. } => "TaskRestarted",
            Self::TaskCompleted { .. } => "TaskCompleted",
            Self::TaskFailed { .. } => "TaskFailed",
            Self::SubOrchestrationCreated { .. } => "SubOrchestrationCreated",
            Self::SubOrchestrationCompleted { .. } => "SubOrchestrationCompleted",
            Self::SubOrchestrationFailed { .. } => "SubOrchestrationFailed",
            Self::EntityCalled { .. } => "EntityCalled",
            Self::EntityCompleted { .. } => "EntityCompleted",
            Self::EntityFailed { .. } => "EntityFailed",
            Self::EntitySignaled { .. } => "EntitySignaled",
            Self::LockRequested { .. } => "LockRequested",
            Self::LockGranted { .. } => "LockGranted",
            Self::LockFailed { .. } => "LockFailed",
            Self::LockReleased { .. } => "LockReleased",
            Self::TimerCreated { .. } => "TimerCreated",
            Self::TimerFired { .. } => "TimerFired",
            Self::EventRaised { .. } => "EventRaised",
            Self::EventSent { .. } => "EventSent",
            Self::PatchMarked { .. } => "PatchMarked",
            Self::ExecutionSuspended { .. } => "ExecutionSuspended",
            Self::ExecutionResumed { .. } => "ExecutionResumed",
            Self::ExecutionTerminated { .. } => "ExecutionTerminated",
            Self::ExecutionCompleted { .. } => "ExecutionCompleted",
            Self::ExecutionFailed { .. } => "ExecutionFailed",
        }
    }

    /// Whether the event is something the code did (as opposed to something that reached it).
    pub fn is_action(&self) -> bool {
        matches!(
            self,
            Self::TaskScheduled { .. }
                | Self::SubOrchestrationCreated { .. }
                | Self::EntityCalled { .. }
                | Self::EntitySignaled { .. }
                | Self::LockRequested { .. }
                | Self::LockReleased { .. }
                | Self::TimerCreated { .. }
                | Self::EventSent { .. }
                | Self::PatchMarked { .. }
        )
    }
}

/// How an execution began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionStarted {
    /// The execution.
    pub execution: ExecutionId,
    /// The orchestrator.
    pub name: String,
    /// The version that the instance stays on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it was given.
    pub input: Payload,
    /// The call that started it, where an orchestration did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentLink>,
    /// When it is to begin, where that was put off.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    pub start_at: Option<DateTime<Utc>>,
    /// Labels given by the client.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// The call in a parent orchestration that a sub-orchestration answers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentLink {
    /// The parent.
    pub instance: InstanceId,
    /// The execution of the parent that made the call: a later one does not take the answer.
    pub execution: ExecutionId,
    /// The call.
    pub task: TaskId,
}
