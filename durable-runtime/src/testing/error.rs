//! Why a test host does not start.

use crate::host::HostError;
use crate::registry::NameClash;
use crate::storage::StorageError;

/// Why a [`TestHost`](super::TestHost) cannot be built.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TestHostError {
    /// Two functions have one name.
    #[error(transparent)]
    NameClash(#[from] NameClash),
    /// There is no async runtime.
    #[error(
        "a test host needs a tokio runtime: put `#[durable_runtime::test]` or `#[tokio::test]` on the test"
    )]
    NoRuntime,
    /// The async runtime has several threads, over which nothing is deterministic.
    #[error(
        "a test host needs a tokio runtime of one thread: put `#[durable_runtime::test]`, or \
         `#[tokio::test]` without a flavor, on the test"
    )]
    ManyThreads,
    /// A client function cannot be run by its trigger.
    #[error("{message}")]
    ClientFunction {
        /// Which one, and why.
        message: String,
    },
    /// The hub cannot be made.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<HostError> for TestHostError {
    fn from(error: HostError) -> Self {
        Self::ClientFunction {
            message: error.to_string(),
        }
    }
}
