//! How a host is to behave.

use std::time::Duration;

use super::HostError;
use crate::registry::version::{VersionMatch, VersionMismatch, VersionRules};

/// The settings of a host. Each has a default that is right for most programs:
///
/// ```
/// use durable_runtime::host::HostOptions;
///
/// let options = HostOptions {
///     max_concurrent_activities: 50,
///     ..HostOptions::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOptions {
    /// How many activities run at the same time; the others wait. Default: 1,000.
    pub max_concurrent_activities: usize,
    /// How many orchestrators run code at the same moment, which is the number of threads that run
    /// them. One that waits does not count. Default: the number of processors.
    pub max_concurrent_orchestrations: usize,
    /// How many orchestrations that wait are kept in memory, so that they go on without replaying
    /// their history; the longest unused are let go first. Default: 20,000.
    pub max_cached_instances: usize,
    /// How long an orchestration that waits is kept in memory. Default: 5 minutes.
    pub idle_timeout: Duration,
    /// The number of partitions of the task hub, when this host creates it; it is fixed from then
    /// on. It bounds over how many workers the hub can spread. Default: 16.
    pub partition_count: u32,
    /// The longest input, output or event payload, in bytes of JSON. Default: 4 MiB.
    pub max_payload_bytes: usize,
    /// How often an activity may take its process down with it before it fails with `Poison`.
    /// Default: 10.
    pub max_activity_attempts: u32,
    /// How many requests of clients of this process (starts, events, signals) may be on their way to
    /// being durable. One more is refused with [`ClientError::Busy`](crate::client::ClientError::Busy),
    /// over HTTP 503 with `Retry-After`: it has not been taken, and is right to be made again a little
    /// later. Client functions with a timer or a queue are not refused but wait, for there is nobody to try
    /// again; what steers instances (terminating, suspending, purging and so on) is always taken.
    /// Default: 50,000.
    pub max_pending_requests: usize,
    /// How many activities may wait for [`max_concurrent_activities`](Self::max_concurrent_activities) to
    /// let them run before clients of this process can start no more orchestrations; they are told as
    /// above. Orchestrations that have been started are not held up, whatever they call, and those that
    /// wait for something else do not count. Default: 100,000.
    pub max_waiting_activities: usize,
    /// How many bytes of payloads there may be in those requests, or in the inputs of those activities,
    /// before more are refused. Default: 256 MiB.
    pub max_pending_bytes: usize,
    /// How many operations of an entity are carried out and committed together, at most. Default:
    /// 5,000.
    pub max_entity_operation_batch_size: usize,
    /// How many messages of one queue a host works on at once, where the client function does not say so
    /// itself with `queue("..", concurrency = n)`. With 1 they are taken one after the other, in order, over
    /// all hosts; a message that has failed then holds up those behind it until it is dealt with or moved
    /// away. Default: 16.
    pub queue_concurrency: usize,
    /// How often a message is delivered to its client function, at most, before it is moved to the poison
    /// queue. A run that takes its process down counts. Default: 5.
    pub max_queue_attempts: u32,
    /// How long after its first failure a message is delivered again. After each further one it is twice as
    /// long, and 5 minutes at most. Default: 1 second.
    pub queue_retry_delay: Duration,
    /// How long a worker that stops answering keeps its partitions, and the messages and due times that it
    /// works on. A process that has ended is noticed at once where storage can tell. Default: 15 seconds.
    pub lease_duration: Duration,
    /// How long running activities and client functions may go on when the host shuts down. Those that take
    /// longer are run again by the next host. Default: 10 seconds.
    pub shutdown_grace: Duration,
    /// Whether the code of an orchestration is replayed from its history after every step, to see
    /// whether it does the same again. If not, the instance fails at once with
    /// [`Failure::NON_DETERMINISTIC`](crate::Failure::NON_DETERMINISTIC), and nothing of the step
    /// takes place; without the check that shows only after a restart or a long wait. For tests and
    /// staging: each step costs a replay of the whole history, which is kept in memory too.
    /// Default: `false`.
    pub replay_check: bool,
    /// The version of orchestrations and sub-orchestrations that this host starts without being told one;
    /// to start one that has no code for it is an error. `None` stands for the highest version of each
    /// that is registered. Default: `None`.
    pub default_version: Option<String>,
    /// Which code an orchestration runs of whose version none is registered. Default:
    /// [`VersionMatch::Strict`], none.
    pub version_match: VersionMatch,
    /// What becomes of an orchestration for which there is no code of a version that matches. Default:
    /// [`VersionMismatch::Reject`], it waits for another worker.
    pub on_mismatch: VersionMismatch,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            max_concurrent_activities: 1_000,
            max_concurrent_orchestrations: std::thread::available_parallelism()
                .map_or(1, std::num::NonZero::get),
            max_cached_instances: 20_000,
            idle_timeout: Duration::from_secs(300),
            partition_count: 16,
            max_payload_bytes: 4 * 1024 * 1024,
            max_activity_attempts: 10,
            max_pending_requests: 50_000,
            max_waiting_activities: 100_000,
            max_pending_bytes: 256 * 1024 * 1024,
            max_entity_operation_batch_size: 5_000,
            queue_concurrency: 16,
            max_queue_attempts: 5,
            queue_retry_delay: Duration::from_secs(1),
            lease_duration: Duration::from_secs(15),
            shutdown_grace: Duration::from_secs(10),
            replay_check: false,
            default_version: None,
            version_match: VersionMatch::default(),
            on_mismatch: VersionMismatch::default(),
        }
    }
}

impl HostOptions {
    pub(super) fn version_rules(&self) -> VersionRules {
        VersionRules {
            default: self.default_version.clone(),
            matching: self.version_match,
            on_mismatch: self.on_mismatch,
        }
    }

    pub(super) fn check(&self) -> Result<(), HostError> {
        let refuse =
            |field: &'static str, rule: &'static str| Err(HostError::InvalidOption { field, rule });
        if self.max_concurrent_activities == 0 {
            return refuse("max_concurrent_activities", "must be at least 1");
        }
        if self.max_concurrent_orchestrations == 0 {
            return refuse("max_concurrent_orchestrations", "must be at least 1");
        }
        if self.partition_count == 0 || self.partition_count > 1_024 {
            return refuse("partition_count", "must be between 1 and 1024");
        }
        if self.max_payload_bytes < 1_024 {
            return refuse("max_payload_bytes", "must be at least 1024");
        }
        if self.max_activity_attempts == 0 {
            return refuse("max_activity_attempts", "must be at least 1");
        }
        if self.max_pending_requests == 0 {
            return refuse("max_pending_requests", "must be at least 1");
        }
        if self.max_waiting_activities == 0 {
            return refuse("max_waiting_activities", "must be at least 1");
        }
        if self.max_pending_bytes == 0 {
            return refuse("max_pending_bytes", "must be at least 1");
        }
        if self.max_entity_operation_batch_size == 0 {
            return refuse("max_entity_operation_batch_size", "must be at least 1");
        }
        if self.queue_concurrency == 0 {
            return refuse("queue_concurrency", "must be at least 1");
        }
        if self.max_queue_attempts == 0 {
            return refuse("max_queue_attempts", "must be at least 1");
        }
        if self.default_version.as_deref() == Some("") {
            return refuse(
                "default_version",
                "must not be empty; `None` stands for the highest version",
            );
        }
        if self.lease_duration < Duration::from_secs(1) {
            return refuse("lease_duration", "must be at least one second");
        }
        Ok(())
    }
}
