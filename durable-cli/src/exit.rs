//! Why the command ends, and with which exit code.

use std::fmt;
use std::io;
use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::storage::StorageError;

/// What is printed below the help of the command.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done (or noted for the next host, where no host runs: a note on stderr says so)
  1  failed; also an orchestration that was waited for and did not complete, and a replay that found
     instances which would not go on
  2  wrong usage: unknown options, values that cannot be read, a confirmation that was not given
  3  not found: no such storage file, task hub, instance, entity or function
  4  not possible as things stand: the instance has ended, has not ended, or exists already
  5  no host runs, where one is needed; nothing answers at the URL
  6  no answer, or no end, within the time limit";

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    NotPossible = 4,
    NoHost = 5,
    Timeout = 6,
}

/// Why a command could not do what it was told.
#[derive(Debug)]
pub(crate) enum CliError {
    /// To be told to the user.
    Told {
        code: Code,
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The reader of the output has seen enough: nothing to complain about.
    OutputClosed,
}

impl CliError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Told {
            code,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// No answer came within the limit.
    pub(crate) fn no_answer(limit: Duration) -> Self {
        Self::new(Code::Timeout, format!("no answer within {limit:?}"))
            .hint("allow more time with --timeout")
    }

    /// Adds what to do.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Told { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told { message, .. } => f.write_str(message),
            Self::OutputClosed => f.write_str("the output was closed"),
        }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            ClientError::InstanceNotFound { .. }
            | ClientError::TaskHubNotFound { .. }
            | ClientError::UnknownOrchestrator { .. }
            | ClientError::UnknownEntity { .. }
            | ClientError::Storage(StorageError::NotFound { .. }) => Code::NotFound,
            ClientError::AlreadyExists { .. } | ClientError::NotRunning { .. } => Code::NotPossible,
            ClientError::Timeout { .. } | ClientError::Busy { .. } => Code::Timeout,
            ClientError::InvalidInstanceId(_)
            | ClientError::InvalidEntityId(_)
            | ClientError::InvalidContinuationToken => Code::Usage,
            _ => Code::Failed,
        };
        let hint = match &error {
            ClientError::TaskHubNotFound { .. } => Some("name another one with --task-hub-name"),
            ClientError::AlreadyExists { .. } => {
                Some("give another --id, or say --on-existing restart or ignore")
            }
            _ => None,
        };
        // What it says to programmers is said to users by the hint.
        let message = match &error {
            ClientError::AlreadyExists { id, status } => {
                format!("instance {id:?} already exists and is {status}")
            }
            error => error.to_string(),
        };
        let told = Self::new(code, message);
        match hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

/// Errors of the output.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::OutputClosed;
        }
        Self::new(
            Code::Failed,
            format!("the output cannot be written: {error}"),
        )
    }
}

/// Errors of writing JSON, which are those of the output.
impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::new(kind, error).into(),
            None => Self::new(
                Code::Failed,
                format!("the output cannot be written: {error}"),
            ),
        }
    }
}
