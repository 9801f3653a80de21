//! How failures travel: as data, whole, over every border.

use std::any::{Any, type_name};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Payload;

/// The result of user code, with [`Error`] unless another error is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is known of a failure once it has crossed a border: its type, message, causes and, where
/// the error could be serialized, the error itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    error_type: String,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inner: Option<Box<Failure>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Payload>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    non_retriable: bool,
}

impl Failure {
    /// A durable call or an orchestration took longer than it was given.
    pub const TIMEOUT: &str = "Timeout";
    /// An orchestrator is not deterministic: it waited for something that is not durable, called an
    /// activity as a function, or did not do what its history says it did. The message names the
    /// orchestrator, the number of the step (each run of the code between two waits is one, counted
    /// from 1), what the history has, what the code did, and the likely causes; it ends with the
    /// rule: `[await]`, `[direct_call]` or `[replay]`. Nothing of the step takes place, so mended
    /// code takes it anew after a rewind.
    ///
    /// A history is compared with its replay call by call: their kinds, numbers and names, and the
    /// entities that are locked. What they were given is not compared, so that code may change an input or a delay while instances run:
    /// the recorded call counts, with the recorded time of a timer. `HostOptions::replay_check`
    /// compares more, and earlier.
    pub const NON_DETERMINISTIC: &str = "NonDeterministic";
    /// User code panicked.
    pub const PANIC: &str = "Panic";
    /// An activity took its process down too often.
    pub const POISON: &str = "Poison";
    /// No function is registered under the name that was called.
    pub const NOT_REGISTERED: &str = "NotRegistered";
    /// No code of a version that [matches](crate::host::VersionMatch) was there for the orchestration, and
    /// the host was told to [fail](crate::host::VersionMismatch::Fail) it.
    pub const VERSION_MISMATCH: &str = "VersionMismatch";
    /// An input, output, state, event or message did not fit its type. The message says which it was and
    /// of which instance or entity, the type as [`std::any::type_name`] gives it, and the field, as in
    /// ``at `lines[2].price`: missing field `cents` ``.
    pub const SERIALIZATION: &str = "Serialization";
    /// A payload was over the limit.
    pub const PAYLOAD_TOO_LARGE: &str = "PayloadTooLarge";
    /// A sub-orchestration was given an id that is taken or not valid.
    pub const INSTANCE_ID: &str = "InstanceId";
    /// A sub-orchestration was terminated.
    pub const TERMINATED: &str = "Terminated";
    /// An orchestrator did what a critical section over entities does not allow. The message ends with
    /// the rule, `[critical_section]`.
    pub const LOCK: &str = "Lock";
    /// An HTTP call got no answer: the request is not valid or not allowed, there is no connection or
    /// token, or the answer breaks off. (An answer with an error status is an answer.)
    pub const HTTP: &str = "Http";
    /// What is stored of an instance cannot be read.
    pub const CORRUPT: &str = "Corrupt";

    /// The longest chain of causes that is kept. Each is an object in the one above it, and readers
    /// of JSON go about twice as deep and no deeper.
    const MAX_CAUSES: usize = 64;

    /// A failure of the given type.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
            inner: None,
            details: None,
            non_retriable: false,
        }
    }

    /// The failure that `error` and the chain of its sources make.
    pub fn from_error<E: std::error::Error + 'static>(error: &E) -> Self {
        let mut failure = Self::link(error).unwrap_or_else(|| Self {
            inner: Self::cause_of(error, Self::MAX_CAUSES),
            ..Self::new(type_name::<E>(), error.to_string())
        });
        failure.shorten();
        // Through the causes of the user's own error types, "do not retry" stays what it is.
        failure.non_retriable |= failure.inner().is_some_and(Self::is_non_retriable);
        failure
    }

    /// The causes of `error`, `more` of them at most: the chain may be a circle.
    fn cause_of(error: &dyn std::error::Error, more: usize) -> Option<Box<Self>> {
        let more = more.checked_sub(1)?;
        let source = error.source()?;
        Some(Box::new(Self::link(source).unwrap_or_else(|| {
            let inner = Self::cause_of(source, more);
            Self {
                non_retriable: inner.as_ref().is_some_and(|inner| inner.non_retriable),
                inner,
                ..Self::new("unknown", source.to_string())
            }
        })))
    }

    /// Leaves causes out where there are too many: those before the last, which tells most.
    fn shorten(&mut self) {
        let mut link = &mut self.inner;
        for _ in 1..Self::MAX_CAUSES {
            match link {
                Some(failure) => link = &mut failure.inner,
                None => return,
            }
        }
        while let Some(failure) = link
            && failure.inner.is_some()
        {
            *link = failure.inner.take();
        }
    }

    /// An error of ours already holds its failure whole.
    fn link(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return Some(failure.clone());
        }
        let failed = error.downcast_ref::<TaskFailed>()?;
        Some(Self {
            non_retriable: failed.failure.non_retriable,
            inner: Some(Box::new(failed.failure.clone())),
            ..Self::new(type_name::<TaskFailed>(), failed.to_string())
        })
    }

    /// The failure that a caught panic makes; `payload` is what the panic was raised with.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panicked with a value that is not text".to_owned());
        Self::new(Self::PANIC, message)
    }

    /// Marks the failure as one that trying again cannot mend.
    #[must_use]
    pub fn non_retriable(mut self) -> Self {
        self.non_retriable = true;
        self
    }

    /// Adds the serialized error.
    #[must_use]
    pub fn with_details(mut self, details: Option<Payload>) -> Self {
        self.details = details.or(self.details);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, inner: Failure) -> Self {
        self.inner = Some(Box::new(inner));
        self.shorten();
        self
    }

    /// The full name of the error's type, as [`std::any::type_name`] gives it, or one of the
    /// constants of this type.
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// What the error says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The cause, where there is one.
    pub fn inner(&self) -> Option<&Failure> {
        self.inner.as_deref()
    }

    /// Whether trying again cannot mend it.
    pub fn is_non_retriable(&self) -> bool {
        self.non_retriable
    }

    /// Whether a time limit was reached.
    pub fn is_timeout(&self) -> bool {
        self.error_type == Self::TIMEOUT
    }

    /// Whether the error was an `E`. Looks through [`TaskFailed`], so that a failure handed on with
    /// `?` is still recognised.
    pub fn is<E: 'static>(&self) -> bool {
        self.find::<E>().is_some()
    }

    /// The error itself, where it was an `E` and `E` is serializable. Looks through [`TaskFailed`]
    /// as [`is`](Self::is) does. `None` also where it was recorded by code whose `E` had other fields.
    pub fn details<E: DeserializeOwned + 'static>(&self) -> Option<E> {
        self.find::<E>()?.details.as_ref()?.decode().ok()
    }

    fn find<E: 'static>(&self) -> Option<&Self> {
        if self.error_type == type_name::<E>() {
            Some(self)
        } else if self.error_type == type_name::<TaskFailed>() {
            self.inner()?.find::<E>()
        } else {
            None
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner
            .as_deref()
            .map(|inner| inner as &(dyn std::error::Error + 'static))
    }
}

/// A durable call that failed: which one, and the failure that came back from it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskFailed {
    name: String,
    failure: Failure,
}

impl TaskFailed {
    pub(crate) fn new(name: impl Into<String>, failure: Failure) -> Self {
        Self {
            name: name.into(),
            failure,
        }
    }

    /// The name of the activity, orchestrator or event that was called or awaited.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the error says.
    pub fn message(&self) -> &str {
        self.failure.message()
    }

    /// The full name of the error's type; see [`Failure::error_type`].
    pub fn error_type(&self) -> &str {
        self.failure.error_type()
    }

    /// The error itself, where it was an `E` and `E` is serializable.
    pub fn details<E: DeserializeOwned + 'static>(&self) -> Option<E> {
        self.failure.details()
    }

    /// Whether the error was an `E`.
    pub fn is<E: 'static>(&self) -> bool {
        self.failure.is::<E>()
    }

    /// The cause, where there is one.
    pub fn inner(&self) -> Option<&Failure> {
        self.failure.inner()
    }

    /// Whether trying again cannot mend it.
    pub fn is_non_retriable(&self) -> bool {
        self.failure.is_non_retriable()
    }

    /// Whether a time limit was reached.
    pub fn is_timeout(&self) -> bool {
        self.failure.is_timeout()
    }

    /// The whole failure.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl fmt::Display for TaskFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed: {}", self.name, self.failure.message)
    }
}

impl std::error::Error for TaskFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failure)
    }
}

/// The error of user code: made from any [`std::error::Error`] by `?`, or with [`Error::msg`].
///
/// It holds the error as a [`Failure`], because that is what will cross the border anyway.
pub struct Error(Box<Failure>);

impl Error {
    /// An error that says `message`.
    pub fn msg(message: impl fmt::Display) -> Self {
        Self(Box::new(Failure::new(
            type_name::<Self>(),
            message.to_string(),
        )))
    }

    /// An error that says `message` and that no retry policy tries again.
    pub fn non_retriable(message: impl fmt::Display) -> Self {
        Self::msg(message).into_non_retriable()
    }

    /// The same error, not to be tried again by any retry policy.
    #[must_use]
    pub fn into_non_retriable(mut self) -> Self {
        self.0.non_retriable = true;
        self
    }

    /// The error as the data that it travels as.
    pub fn failure(&self) -> &Failure {
        &self.0
    }

    pub(crate) fn from_failure(failure: Failure) -> Self {
        Self(Box::new(failure))
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(Failure::from_error(&error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// For `fn main() -> Result<()>`: the message, and the causes below it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.message)?;
        let mut cause = self.0.inner();
        if cause.is_some() {
            write!(f, "\n\nCaused by:")?;
        }
        while let Some(failure) = cause {
            write!(f, "\n    {}", failure.message)?;
            cause = failure.inner();
        }
        Ok(())
    }
}

/// What the error of an activity or orchestrator must be: any [`std::error::Error`], or [`Error`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a durable function",
    label = "this is not a `std::error::Error`",
    note = "return `Result<T>` (with `durable_runtime::Error`), or implement `std::error::Error` for the type"
)]
pub trait IntoFailure {
    /// The failure that the error travels as; `details` is the serialized error, where it has that.
    fn into_failure(self, details: Option<Payload>) -> Failure;
}

impl<E: std::error::Error + 'static> IntoFailure for E {
    fn into_failure(self, details: Option<Payload>) -> Failure {
        Failure::from_error(&self).with_details(details)
    }
}

impl IntoFailure for Error {
    fn into_failure(self, details: Option<Payload>) -> Failure {
        self.0.with_details(details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq, thiserror::Error)]
    #[error("card {card} declined")]
    struct Declined {
        card: u32,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("payment failed")]
    struct PaymentFailed(#[source] Declined);

    // Rule 31: type, message and cause chain cross whole.
    #[test]
    fn the_chain_of_causes_is_kept() {
        let failure = Failure::from_error(&PaymentFailed(Declined { card: 7 }));
        assert!(failure.is::<PaymentFailed>());
        assert_eq!(failure.message(), "payment failed");
        assert_eq!(failure.inner().unwrap().message(), "card 7 declined");
        let text = serde_json::to_string(&failure).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), failure);
    }

    // Rule 31: one that comes up through many callers can be read again, with its first cause.
    #[test]
    fn a_long_chain_of_causes_can_be_read_back() {
        let mut failure = Failure::from_error(&Declined { card: 7 }).non_retriable();
        for _ in 0..300 {
            failure = Failure::from_error(&TaskFailed::new("child", failure));
        }
        let text = serde_json::to_string(&failure).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), failure);
        assert!(failure.is_non_retriable());
        let links: Vec<_> =
            std::iter::successors(Some(&failure), |failure| failure.inner()).collect();
        assert_eq!(links.len(), 1 + Failure::MAX_CAUSES);
        assert_eq!(links.last().unwrap().message(), "card 7 declined");
    }

    #[derive(Debug)]
    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("endless")
        }
    }

    impl std::error::Error for Endless {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn a_circle_of_causes_has_an_end() {
        let failure = Failure::from_error(&Endless);
        let links = std::iter::successors(Some(&failure), |failure| failure.inner());
        assert_eq!(links.count(), 1 + Failure::MAX_CAUSES);
    }

    // Rule 31: a failure handed on with `?` keeps the first error's type and details.
    #[test]
    fn a_task_failure_handed_on_is_still_recognised() {
        let declined = Declined { card: 7 };
        let details = Payload::encode(&declined).ok();
        let first = declined.into_failure(details).non_retriable();
        let handed_on = Error::from(TaskFailed::new("charge", first));
        let failure = handed_on.failure();
        assert!(failure.is::<Declined>());
        assert_eq!(failure.details::<Declined>().unwrap(), Declined { card: 7 });
        assert_eq!(failure.message(), "`charge` failed: card 7 declined");
        assert!(failure.is_non_retriable());
    }
}
