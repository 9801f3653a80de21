//! Identifiers. Each is a type of its own, so that none can stand where another belongs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The address of an instance: 1 to 256 characters, not starting with `@`, without `/`, `\`, `#`,
/// `?` and control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// The longest id, in characters.
    pub const MAX_CHARS: usize = 256;

    /// Checks `id` and takes it.
    ///
    /// # Errors
    ///
    /// [`InvalidInstanceId`], naming the rule that `id` breaks.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidInstanceId> {
        let id = id.as_ref();
        match Self::broken_rule(id) {
            None => Ok(Self(id.into())),
            Some(rule) => Err(InvalidInstanceId {
                id: id.chars().take(300).collect(),
                rule,
            }),
        }
    }

    /// The id made of a UUID: its 32 hexadecimal digits.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.simple().to_string().into())
    }

    /// Takes an id that was checked when it was stored.
    pub(crate) fn trusted(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Whether messages for it reach an entity.
    pub(crate) fn is_entity(&self) -> bool {
        self.0.starts_with('@')
    }

    fn broken_rule(id: &str) -> Option<&'static str> {
        if id.is_empty() {
            Some("it must not be empty")
        } else if id.chars().count() > Self::MAX_CHARS {
            Some("it must have at most 256 characters")
        } else if id.starts_with('@') {
            Some("it must not start with '@', which marks entities")
        } else if id.contains(['/', '\\', '#', '?']) {
            Some("it must not contain any of / \\ # ?")
        } else if id.chars().any(char::is_control) {
            Some("it must not contain control characters")
        } else {
            None
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition of a hub of `count` partitions that owns this instance.
    ///
    /// The hash is 64-bit FNV-1a and part of the storage format: it never changes.
    pub fn partition(&self, count: u32) -> PartitionId {
        let hash = self
            .0
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let index = (hash ^ (hash >> 32)) % u64::from(count.max(1));
        PartitionId(u32::try_from(index).unwrap_or_default())
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for InstanceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for InstanceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::trusted)
    }
}

/// An instance id that breaks one of the rules for ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("instance id {id:?} is not valid: {rule}")]
pub struct InvalidInstanceId {
    id: String,
    rule: &'static str,
}

impl InvalidInstanceId {
    /// The rule that is broken.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// One execution of an instance: a start, a continuation as new and a rewind each begin another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(#[serde(with = "uuid::serde::simple")] pub Uuid);

impl ExecutionId {
    /// The execution that follows this one. The same on every replay.
    #[must_use]
    pub fn successor(self) -> Self {
        Self(Uuid::new_v5(&self.0, b"successor"))
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.simple(), f)
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number_id! {
    /// The number of a durable call within its execution, counted from 0.
    TaskId(u64)
}
number_id! {
    /// One of the partitions of a task hub, counted from 0.
    PartitionId(u32)
}
number_id! {
    /// Counts the owners of a partition. A commit carries its owner's epoch and is refused once a
    /// later owner has taken over.
    Epoch(u64)
}
number_id! {
    /// Joins a request that came through the inbox with its reply.
    RequestId(Uuid)
}

/// Where an inbox message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageOrigin {
    /// A client that speaks to storage because no local host owns the receiver.
    Client,
    /// Another partition, or the receiver itself.
    Partition(PartitionId),
}

/// Names one message in the inbox of a partition. Numbers of one origin grow in sending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId {
    /// The sender.
    pub origin: MessageOrigin,
    /// The sender's number for it.
    pub number: u64,
}

/// One worker process (more precisely, one host in it), for as long as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a task hub: 1 to 45 letters, digits, `-` and `_`, starting with a letter. Names that
/// differ only by case are the same hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskHubName(String);

impl TaskHubName {
    /// Checks `name` and takes it.
    ///
    /// # Errors
    ///
    /// The rule that `name` breaks, as a sentence for people.
    pub fn new(name: impl Into<String>) -> Result<Self, String> {
        let name = name.into();
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let all_well = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if starts_well && all_well && name.len() <= 45 {
            Ok(Self(name))
        } else {
            Err(format!(
                "task hub name {name:?} is not valid: use 1 to 45 ASCII letters, digits, '-' and '_', \
                 starting with a letter"
            ))
        }
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskHubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_rule_by_rule() {
        for (id, word) in [
            ("", "empty"),
            ("@counter@a", "'@'"),
            ("a/b", "/"),
            ("a\u{7}b", "control"),
        ] {
            let error = InstanceId::new(id).unwrap_err();
            assert!(error.rule().contains(word), "{id:?}: {error}");
        }
        assert!(InstanceId::new("ä".repeat(256)).is_ok());
        assert!(InstanceId::new("ä".repeat(257)).is_err());
    }

    #[test]
    fn the_partition_of_an_id_is_part_of_the_format() {
        let id = InstanceId::new("order-42").unwrap();
        assert_eq!(id.partition(1), PartitionId(0));
        assert_eq!(id.partition(16), id.partition(16));
        let spread: std::collections::BTreeSet<_> = (0..1000)
            .map(|n| InstanceId::new(format!("order-{n}")).unwrap().partition(16))
            .collect();
        assert_eq!(spread.len(), 16);
    }
}
