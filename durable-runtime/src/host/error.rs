//! Why a host does not start or stops.

use crate::registry::NameClash;
use crate::storage::StorageError;

/// An error of a host.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Two functions have one name.
    #[error(transparent)]
    NameClash(#[from] NameClash),
    /// Two client functions take the messages of one queue.
    #[error(
        "two client functions take the messages of queue {queue:?}: {first} and {second}; each message \
         would go to one of them, so remove one, or have it take those of another queue"
    )]
    QueueClash {
        /// The queue.
        queue: String,
        /// One function, and where it is written.
        first: String,
        /// The other one.
        second: String,
    },
    /// A client function is bound to a storage that the host does not know.
    #[error(
        "client function {function} wants connection {connection:?}, which the host does not know ({known}): \
         add `.connection({connection:?}, storage)` to the builder"
    )]
    UnknownConnection {
        /// The function, and where it is written.
        function: String,
        /// The name of the connection.
        connection: String,
        /// The ones that are known.
        known: String,
    },
    /// The schedule of a timer cannot be read.
    #[error(
        "the schedule {schedule:?} of client function {function:?} at {place} is not valid: {message}"
    )]
    InvalidSchedule {
        /// The function.
        function: String,
        /// Where it is written.
        place: String,
        /// The schedule.
        schedule: String,
        /// What is wrong with it.
        message: String,
    },
    /// Two client functions answer the same requests.
    #[cfg(feature = "http")]
    #[error(transparent)]
    RouteClash(#[from] crate::http::RouteClash),
    /// A function wants a state that the host was not given.
    #[error(
        "function {function:?} at {place} takes `State<{state}>`, which the host was not given: \
         add `.state(..)` with a value of that type to the builder"
    )]
    MissingState {
        /// The function.
        function: String,
        /// Where it is written.
        place: String,
        /// The type of the state.
        state: String,
    },
    /// A setting that makes no sense.
    #[error("host option `{field}` {rule}")]
    InvalidOption {
        /// The field of [`HostOptions`](super::HostOptions), or of `HttpOptions`.
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A `host.json` cannot be used.
    #[error("{path}: {problem}")]
    HostJson {
        /// The file, as it was given.
        path: String,
        /// What is wrong with it, with the path of the property where it is one.
        problem: String,
    },
    /// What the HTTP calls of orchestrations may do makes no sense.
    #[error("{0}")]
    InvalidHttpCalls(String),
    /// The name of the task hub is not valid.
    #[error("{0}")]
    InvalidTaskHub(String),
    /// The host was started outside of a tokio runtime.
    #[error("a host needs a tokio runtime for activities: start it inside `#[tokio::main]`")]
    NoRuntime,
    /// The host was started in a tokio runtime without timers.
    #[error(
        "a host needs a tokio runtime with timers: call `enable_all()` on its builder, or use `#[tokio::main]`"
    )]
    NoTimers,
    /// The host ended although storage did not take the last progress. Nothing that was acknowledged
    /// is lost; the rest is done again by the next host.
    #[error(
        "the host ended before storage had taken the last progress, which the next host makes again: \
         storage does not answer, or an orchestrator runs without ever waiting"
    )]
    NotDurable,
    /// The host was told a second time to end, and did not wait for the graceful end.
    #[error(
        "the host was told a second time to end, and did not wait until all progress was stored; the next \
         host makes again what was not"
    )]
    Interrupted,
    /// The address at which HTTP was to be served is none.
    #[error(
        "{address:?} is no address to serve HTTP at: {message}; give a host and a port, such as \
         \"127.0.0.1:7071\""
    )]
    InvalidHttpAddress {
        /// What was given.
        address: String,
        /// What the system says.
        message: String,
    },
    /// HTTP cannot be served at the address, mostly because another program does.
    #[error(
        "HTTP cannot be served at {address:?}: {message}; stop the program that uses this port, or \
         give another port (0 takes one that is free)"
    )]
    HttpAddressInUse {
        /// What was given.
        address: String,
        /// What the system says.
        message: String,
    },
    /// Storage refuses.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The operating system refuses.
    #[error("{action}: {message}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        message: String,
    },
}
