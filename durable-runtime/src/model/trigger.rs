//! What runs client functions: schedules and queues.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why a timer has fired. What a function with `#[durable_client(timer(..))]` is given.
///
/// A due time of which nothing else came in between makes a good instance id, for it is the same in every
/// repetition:
///
/// ```
/// # use durable_runtime::TimerInfo;
/// # fn example(timer: TimerInfo) {
/// let id = timer.scheduled.format("report-%Y-%m-%d").to_string();
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimerInfo {
    /// The due time that this run is for; of several that were missed, the latest.
    pub scheduled: DateTime<Utc>,
    /// Whether the run is late: because no host ran at the time, because the run before took until then, or
    /// because the process ended in the middle of a run, which this one repeats.
    pub is_past_due: bool,
    /// The next due time; `None` if the schedule has no other.
    pub next: Option<DateTime<Utc>>,
    /// The due time that the run before was for; `None` if this is the first one.
    pub last: Option<DateTime<Utc>>,
}

/// What the names of poison queues end in.
const POISON: &str = "-poison";

/// The name of a durable queue: 1 to 128 ASCII letters, digits, `-`, `_` and `.`. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName(String);

/// A name that no queue can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("queue name {name:?} is not valid: use 1 to 128 ASCII letters, digits, '-', '_' and '.'")]
pub struct InvalidQueueName {
    /// The name.
    pub name: String,
}

impl QueueName {
    /// Checks `name` and takes it.
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`].
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidQueueName> {
        let name = name.into();
        // That of a poison queue is longer by what it ends in.
        let is_valid = (1..=128).contains(&name.trim_end_matches(POISON).len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if is_valid {
            Ok(Self(name))
        } else {
            Err(InvalidQueueName { name })
        }
    }

    /// The name of a queue that is known to be valid.
    pub(crate) fn trusted(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The queue that messages go to which cannot be dealt with: `<name>-poison`.
    #[must_use]
    pub fn poison(&self) -> Self {
        Self(format!("{}{POISON}", self.0))
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let longest = "q".repeat(128);
        for name in ["orders", "a", "A.b-c_1", &longest] {
            let queue = QueueName::new(name).unwrap();
            assert_eq!(queue.as_str(), name);
            let poison = queue.poison().poison();
            assert_eq!(QueueName::new(poison.as_str()), Ok(poison));
        }
        for name in ["", "-poison", "a b", "é", "a/b", &"q".repeat(129)] {
            let error = QueueName::new(name).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
