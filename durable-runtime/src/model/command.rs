//! What can be asked of an instance, by clients and by other instances, and the answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    EntityLock, EntityLockAnswer, EntityOperation, EntitySection, ExecutionId, Failure, InstanceId,
    ParentLink, Payload, RequestId, RuntimeStatus, Tags, TaskId,
};

/// A command on its way to an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The receiver.
    pub to: InstanceId,
    /// What is asked.
    pub command: Command,
    /// Set when a client in another process waits for the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
}

/// What is asked of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Command {
    /// Create the instance and run it.
    Start(Box<StartOrchestration>),
    /// Deliver an external event.
    RaiseEvent {
        /// The event's name.
        name: String,
        /// What it carries.
        data: Payload,
    },
    /// A sub-orchestration of the instance has ended.
    SubOrchestrationEnded {
        /// The execution that made the call.
        execution: ExecutionId,
        /// The call.
        task: TaskId,
        /// How it ended.
        outcome: Result<Payload, Failure>,
    },
    /// Carry an operation out; for entities.
    Entity(Box<EntityOperation>),
    /// An entity has carried out an operation that the instance called.
    EntityAnswered {
        /// The execution that made the call.
        execution: ExecutionId,
        /// The call.
        task: TaskId,
        /// How it ended.
        outcome: Result<Payload, Failure>,
    },
    /// Be locked, and pass the request on; for entities.
    LockEntity(Box<EntityLock>),
    /// Be locked for this no longer; for entities. One that is not locked for it ignores that.
    UnlockEntity(Box<EntitySection>),
    /// The last of the entities that the instance asked to lock has answered.
    LockAnswered(Box<EntityLockAnswer>),
    /// End the instance.
    Terminate {
        /// Becomes its output.
        reason: String,
        /// Whether its descendants are ended as well.
        recursive: bool,
    },
    /// Hold the instance.
    Suspend {
        /// Becomes its output while it is held.
        reason: String,
    },
    /// Let a held instance go on.
    Resume {
        /// Recorded in the history.
        reason: String,
    },
    /// Run what failed in a failed instance again.
    Rewind {
        /// Recorded in the history.
        reason: String,
        /// Set when the parent is rewound: how to start the instance if it never was. The instance
        /// answers to the parent in any case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<Box<StartOrchestration>>,
    },
    /// Delete the instance and the ended ones that it started.
    Purge,
    /// As [`Purge`](Self::Purge), if the instance is one that `parent` started: who has its id by now may be
    /// somebody else.
    PurgeChild {
        /// It is being deleted.
        parent: InstanceId,
    },
}

impl Command {
    /// What a client hands over for an instance to work on; `None` where it only steers the instance.
    pub(crate) fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Start(start) => Some(&start.input),
            Self::RaiseEvent { data, .. } => Some(data),
            Self::Entity(operation) => Some(&operation.input),
            _ => None,
        }
    }
}

/// How an instance is to be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartOrchestration {
    /// The orchestrator.
    pub name: String,
    /// The version asked for; `None` takes the highest registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it is given.
    pub input: Payload,
    /// The execution id it begins with.
    pub execution: ExecutionId,
    /// The call that starts it, where an orchestration does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentLink>,
    /// When it is to begin; `None` is at once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    pub start_at: Option<DateTime<Utc>>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// What to do when the id is taken; `None` replaces an instance that has ended and refuses
    /// otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_existing: Option<OnExisting>,
    /// Whether the id was made for this start a moment ago, so that no instance can have it. It is not
    /// passed on to other processes.
    #[serde(skip)]
    pub has_new_id: bool,
}

#[cfg(test)]
impl StartOrchestration {
    /// Of an orchestrator without input.
    pub(crate) fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: None,
            input: Payload::null(),
            execution: ExecutionId(uuid::Uuid::nil()),
            parent: None,
            start_at: None,
            tags: Tags::new(),
            on_existing: None,
            has_new_id: false,
        }
    }
}

/// What a start does when an instance of its id exists, whether that has ended or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnExisting {
    /// The start is an error.
    Error,
    /// The existing instance is terminated if need be, and replaced.
    Restart,
    /// The existing instance is left as it is, and the start does nothing.
    Ignore,
}

/// The answer to a command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reply {
    /// It was done.
    Done,
    /// The instance was started.
    Started,
    /// The start was ignored because the instance exists.
    Existing,
}

/// The answer to a command that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// No such instance.
    #[error("there is no instance {id:?}")]
    InstanceNotFound {
        /// The id asked for.
        id: InstanceId,
    },
    /// The id of a start is taken.
    #[error(
        "instance {id:?} already exists and is {status}: use another id, wait for it to end, or \
         choose with `on_existing`"
    )]
    AlreadyExists {
        /// The id asked for.
        id: InstanceId,
        /// Where the existing instance stands.
        status: RuntimeStatus,
    },
    /// The instance is not in a state in which the command makes sense.
    #[error("instance {id:?} is {status}: {action} needs one that {needs}")]
    NotRunning {
        /// The id asked for.
        id: InstanceId,
        /// Where it stands.
        status: RuntimeStatus,
        /// What was asked.
        action: String,
        /// The state that the command needs.
        needs: String,
    },
    /// No entity of the name, or it has no such operation.
    #[error("{message}")]
    UnknownEntity {
        /// Names it, and the nearest known name.
        message: String,
    },
    /// No orchestrator of the name, or not in the version.
    #[error("{message}")]
    UnknownOrchestrator {
        /// Names it, and the nearest known name.
        message: String,
    },
}
