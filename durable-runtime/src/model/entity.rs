//! Entities: their addresses, what is asked of them, and what storage keeps of them.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Due, ExecutionId, Failure, InstanceId, Misfit, Payload, TaskId};

/// The address of an entity: the name of what it is, without regard to case, and a key.
///
/// ```
/// use durable_runtime::prelude::*;
///
/// let id = EntityId::new("Counter", "k");
/// assert_eq!(id.to_string(), "@counter@k");
/// assert_eq!((id.name(), id.key()), ("counter", "k"));
/// ```
///
/// A name has neither `@` nor control characters and is not empty, a key has neither of them, and the
/// whole has at most 256 characters. An address that breaks a rule can be made, but whatever is asked of
/// it fails, saying which rule.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityId {
    name: String,
    key: String,
}

impl EntityId {
    /// The entity `key` of the kind `name`.
    pub fn new(name: impl AsRef<str>, key: impl Into<String>) -> Self {
        Self {
            name: name.as_ref().to_lowercase(),
            key: key.into(),
        }
    }

    /// The name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads its state as a `T`.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub(crate) fn read_state<T: DeserializeOwned>(&self, state: &Payload) -> Result<T, Misfit> {
        state.read(&format_args!("the state of entity \"{self}\""))
    }

    /// The id under which messages reach the entity.
    ///
    /// # Errors
    ///
    /// [`InvalidEntityId`], naming the rule that the address breaks.
    pub(crate) fn instance(&self) -> Result<InstanceId, InvalidEntityId> {
        let text = self.to_string();
        let rule = if self.name.is_empty() {
            "its name must not be empty"
        } else if self.name.contains('@') || self.key.contains('@') {
            "neither its name nor its key may contain '@'"
        } else if text.chars().any(char::is_control) {
            "it must not contain control characters"
        } else if text.chars().count() > InstanceId::MAX_CHARS {
            "it must have at most 256 characters"
        } else {
            return Ok(InstanceId::trusted(text));
        };
        let id = text.chars().take(300).collect();
        Err(InvalidEntityId { id, rule })
    }

    /// The address that messages for `instance` go to; `None` if that is an orchestration.
    pub(crate) fn of_instance(instance: &InstanceId) -> Option<Self> {
        let (name, key) = instance.as_str().strip_prefix('@')?.split_once('@')?;
        Some(Self {
            name: name.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}@{}", self.name, self.key)
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl Serialize for EntityId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of_instance(&InstanceId::trusted(text.as_str())).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} is not the id of an entity, which is \"@name@key\""
            ))
        })
    }
}

/// The id of an entity that breaks one of the rules for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entity id {id:?} is not valid: {rule}")]
pub struct InvalidEntityId {
    id: String,
    rule: &'static str,
}

impl InvalidEntityId {
    /// The rule that is broken.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// An operation that an entity is asked to carry out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityOperation {
    /// Its name, as the caller wrote it.
    pub name: String,
    /// What it is given; null when it is given nothing.
    pub input: Payload,
    /// Who waits for the outcome; `None` for a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<EntityCaller>,
    /// When it is to be carried out; `None` is at once, in the order of arrival.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "chrono::serde::ts_microseconds_option"
    )]
    pub at: Option<DateTime<Utc>>,
}

/// The call of an orchestration that an entity answers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityCaller {
    /// The orchestration.
    pub instance: InstanceId,
    /// The execution that made the call: a later one does not take the answer.
    pub execution: ExecutionId,
    /// The call.
    pub task: TaskId,
}

/// A critical section: what an entity is locked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitySection {
    /// The call that asked for the lock: operations that its execution calls go ahead.
    pub holder: EntityCaller,
    /// The execution by its own id, which a rewind changes, unlike that of the holder: what was asked
    /// for before the rewind is not what is asked for after it.
    pub run: ExecutionId,
}

impl EntitySection {
    /// Whether an operation of this caller goes ahead of those that wait for the end of the section.
    pub(crate) fn admits(&self, caller: Option<&EntityCaller>) -> bool {
        caller.is_some_and(|caller| {
            caller.instance == self.holder.instance && caller.execution == self.holder.execution
        })
    }
}

/// A request to lock entities, on its way from one of them to the next. All requests go in the same
/// order, so that no two of them wait for each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityLock {
    /// What for.
    pub section: EntitySection,
    /// All that are to be locked, each once, in order.
    pub entities: Vec<EntityId>,
    /// The place of the one that the request is addressed to; those before it are locked.
    pub position: usize,
}

/// What became of a request to lock entities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityLockAnswer {
    /// What it was for.
    pub section: EntitySection,
    /// Those asked for.
    pub entities: Vec<EntityId>,
    /// All of them are locked, or none.
    pub outcome: Result<(), Failure>,
}

/// The row of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityRecord {
    /// Its address, as an instance id.
    pub id: InstanceId,
    /// Its state; `None` when it has none, because it was deleted or never had any.
    pub state: Option<Payload>,
    /// When an operation was last carried out, or, before the first, when the first arrived.
    pub last_operation: DateTime<Utc>,
    /// When its owner has to look after it.
    pub due: Option<Due>,
    /// What it is locked for.
    pub lock: Option<EntitySection>,
    /// Operations that have been taken from the inbox and not been carried out, in order of arrival.
    pub queue: Vec<EntityOperation>,
}
