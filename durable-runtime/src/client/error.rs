//! What a client can be told instead of what it asked for.

use std::time::Duration;

use crate::model::{
    Failure, InvalidEntityId, InvalidInstanceId, InvalidQueueName, Misfit, PayloadTooLarge,
    Rejection, RuntimeStatus,
};
use crate::storage::StorageError;

/// An error of a [`DurableClient`](super::DurableClient).
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No instance has the id.
    #[error("there is no instance {id:?}")]
    InstanceNotFound {
        /// The id asked for.
        id: String,
    },
    /// The storage has no task hub of the name, and none is to be created.
    #[error("there is no task hub {name:?}{}", hubs_there(hubs))]
    TaskHubNotFound {
        /// The name asked for.
        name: String,
        /// The names of those that are there.
        hubs: Vec<String>,
    },
    /// An instance has the id of a start already.
    #[error(
        "instance {id:?} already exists and is {status}: use another id, wait for it to end, or \
         choose with `on_existing`"
    )]
    AlreadyExists {
        /// The id asked for.
        id: String,
        /// Where the existing instance stands.
        status: RuntimeStatus,
    },
    /// The id breaks a rule.
    #[error(transparent)]
    InvalidInstanceId(#[from] InvalidInstanceId),
    /// The id of an entity breaks a rule.
    #[error(transparent)]
    InvalidEntityId(#[from] InvalidEntityId),
    /// No entity of the name is registered, or it has no such operation.
    #[error("{message}")]
    UnknownEntity {
        /// Names it, and the nearest known one.
        message: String,
    },
    /// The name of a queue breaks a rule.
    #[error(transparent)]
    InvalidQueueName(#[from] InvalidQueueName),
    /// No orchestrator of the name (in the version asked for) is registered.
    #[error("{message}")]
    UnknownOrchestrator {
        /// Names it, and the nearest known one.
        message: String,
    },
    /// The instance is not in a state in which that can be done.
    #[error("instance {id:?} is {status}: {action} needs one that {needs}")]
    NotRunning {
        /// The id asked for.
        id: String,
        /// Where the instance stands.
        status: RuntimeStatus,
        /// What was asked for.
        action: String,
        /// The state that is needed.
        needs: String,
    },
    /// It was not over in time. The instance goes on.
    #[error("instance {id:?} has not ended within {waited:?}")]
    Timeout {
        /// The instance.
        id: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The orchestration failed.
    #[error("the orchestration failed: {0}")]
    Failed(#[source] Failure),
    /// The orchestration was terminated, for this reason.
    #[error("the orchestration was terminated: {0}")]
    Terminated(String),
    /// A value does not fit its type, or has no JSON form.
    #[error("{what}: {message}")]
    Serialization {
        /// What was to be read or written, and as which type.
        what: String,
        /// The field, where it is not the whole, and what serde says.
        message: String,
    },
    /// A payload is over the limit.
    #[error(transparent)]
    PayloadTooLarge(#[from] PayloadTooLarge),
    /// A continuation token that was not made by this task hub, or was changed.
    #[error("the continuation token is damaged: begin again without one")]
    InvalidContinuationToken,
    /// The host is stopping, or has too much to do. In the second case, of which the message says what
    /// there is too much of
    /// ([`HostOptions::max_pending_requests`](crate::host::HostOptions::max_pending_requests),
    /// [`HostOptions::max_waiting_activities`](crate::host::HostOptions::max_waiting_activities), or an
    /// inbox in storage that is full), nothing was done: try again a little later. Otherwise the request may
    /// or may not be carried out: look, and try again.
    #[error("the task hub is busy or its host is stopping: {message}; try again")]
    Busy {
        /// What was asked for.
        message: String,
    },
    /// The instance is one of a test host, and nothing will happen any more that could end it.
    #[error("{message}")]
    Standstill {
        /// What waits, and for what.
        message: String,
    },
    /// Storage cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<Rejection> for ClientError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::InstanceNotFound { id } => Self::InstanceNotFound { id: id.to_string() },
            Rejection::AlreadyExists { id, status } => Self::AlreadyExists {
                id: id.to_string(),
                status,
            },
            Rejection::NotRunning {
                id,
                status,
                action,
                needs,
            } => Self::NotRunning {
                id: id.to_string(),
                status,
                action,
                needs,
            },
            Rejection::UnknownEntity { message } => Self::UnknownEntity { message },
            Rejection::UnknownOrchestrator { message } => Self::UnknownOrchestrator { message },
        }
    }
}

impl From<Misfit> for ClientError {
    fn from(misfit: Misfit) -> Self {
        Self::Serialization {
            what: misfit.what,
            message: misfit.reason,
        }
    }
}

fn hubs_there(hubs: &[String]) -> String {
    if hubs.is_empty() {
        return ": the storage has none, for no host has used it yet".to_owned();
    }
    let names: Vec<_> = hubs.iter().map(|name| format!("{name:?}")).collect();
    format!(": the storage has {}", names.join(", "))
}

impl ClientError {
    pub(super) fn serialization(what: impl Into<String>, error: &serde_json::Error) -> Self {
        Self::Serialization {
            what: what.into(),
            message: error.to_string(),
        }
    }
}
