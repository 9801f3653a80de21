//! The nouns of the runtime: identifiers, payloads, failures, history, messages and the
//! [`Delta`] in which a partition hands its progress to storage. Nothing here does I/O.

mod command;
mod delta;
mod entity;
mod failure;
mod history;
#[cfg(feature = "http")]
pub(crate) mod http;
mod ids;
mod instance;
mod misfit;
mod payload;
mod retry;
mod trigger;

pub use command::{Command, Envelope, OnExisting, Rejection, Reply, StartOrchestration};
pub use delta::{Delta, HistoryRow, InboxMessage, InstanceDelta, OutgoingMessage};
pub use entity::{
    EntityCaller, EntityId, EntityLock, EntityLockAnswer, EntityOperation, EntityRecord,
    EntitySection, InvalidEntityId,
};
pub use failure::{Error, Failure, IntoFailure, Result, TaskFailed};
pub use history::{EventKind, ExecutionStarted, HistoryEvent, ParentLink};
pub use ids::{
    Epoch, ExecutionId, InstanceId, InvalidInstanceId, MessageId, MessageOrigin, PartitionId,
    RequestId, TaskHubName, TaskId, WorkerId,
};
pub use instance::{Due, InstanceRecord, RuntimeStatus, StoredInstance, Tags};
pub(crate) use misfit::Misfit;
pub use payload::{Payload, PayloadTooLarge};
pub use retry::{RetryAttempt, RetryPolicy};
pub use trigger::{InvalidQueueName, QueueName, TimerInfo};
