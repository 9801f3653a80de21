//! One entity in memory.

use std::collections::VecDeque;
use std::fmt;

use chrono::{DateTime, Utc};

use super::Origin;
use crate::engine::{EntityBatch, EntityBatchDone};
use crate::model::{
    Command, Due, EntityId, EntityLock, EntityOperation, EntityRecord, EntitySection, InstanceId,
    Payload,
};
use crate::registry::EntityState;

/// A batch that is to run on the async runtime.
pub(crate) struct EntityWork {
    pub(crate) id: InstanceId,
    pub(crate) batch: EntityBatch,
}

impl fmt::Debug for EntityWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EntityWork").field(&self.id).finish()
    }
}

/// What became of it.
pub(crate) struct EntityRun(pub(crate) EntityBatchDone);

impl fmt::Debug for EntityRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EntityRun").field(&self.0.outcomes).finish()
    }
}

/// An entity whose row is known.
pub(super) struct EntityInstance {
    pub(super) id: InstanceId,
    pub(super) entity: EntityId,
    /// The state as it is stored, or will be with the open delta.
    pub(super) saved: Option<Payload>,
    /// The same in memory.
    pub(super) state: Option<EntityState>,
    pub(super) last_operation: DateTime<Utc>,
    /// What is to be carried out, in order of arrival.
    pub(super) waiting: VecDeque<Waiting>,
    /// What is being carried out on the async runtime.
    pub(super) under_way: Vec<WaitingOperation>,
    /// What it is locked for.
    pub(super) lock: Option<EntitySection>,
    pub(super) runnable: bool,
    /// Whether it has a row in storage, or will have with the open delta.
    pub(super) is_stored: bool,
    /// The time under which it stands in the due queue.
    pub(super) queued_due: Option<DateTime<Utc>>,
    /// The commit that made its last change durable, or will.
    pub(super) changed_in: u64,
    /// Tells the latest use.
    pub(super) stamp: u64,
    pub(super) last_used: DateTime<Utc>,
}

/// What has arrived and waits.
#[derive(Debug)]
pub(super) enum Waiting {
    Operation(WaitingOperation),
    /// A request to be locked. It stays in the inbox until its turn comes.
    Lock(Box<EntityLock>, Origin),
    /// The end of a section, which does not wait for its turn.
    Release(EntitySection, Origin),
}

/// An operation that waits.
#[derive(Debug)]
pub(super) struct WaitingOperation {
    pub(super) operation: EntityOperation,
    /// Whom it came from; `None` once it is in the entity's row.
    pub(super) from: Option<Origin>,
}

impl Waiting {
    /// What a command asks of an entity; the origin alone if that is nothing.
    pub(super) fn of(command: Command, from: Origin) -> Result<Self, Origin> {
        match command {
            Command::Entity(operation) => Ok(Self::Operation(WaitingOperation {
                operation: *operation,
                from: Some(from),
            })),
            Command::LockEntity(lock) => Ok(Self::Lock(lock, from)),
            Command::UnlockEntity(section) => Ok(Self::Release(*section, from)),
            _ => Err(from),
        }
    }

    pub(super) fn operation(&self) -> Option<&WaitingOperation> {
        match self {
            Self::Operation(waiting) => Some(waiting),
            Self::Lock(..) | Self::Release(..) => None,
        }
    }

    /// Whether its turn may come at `now`, while the entity is locked for `lock`.
    pub(super) fn is_ready(&self, now: DateTime<Utc>, lock: Option<&EntitySection>) -> bool {
        match self {
            Self::Operation(WaitingOperation { operation, .. }) => {
                let is_due = operation.at.is_none_or(|at| at <= now);
                is_due && lock.is_none_or(|lock| lock.admits(operation.caller.as_ref()))
            }
            Self::Lock(..) => lock.is_none(),
            Self::Release(..) => true,
        }
    }
}

impl EntityInstance {
    pub(super) fn new(id: InstanceId, entity: EntityId, now: DateTime<Utc>) -> Self {
        Self {
            id,
            entity,
            saved: None,
            state: None,
            last_operation: now,
            waiting: VecDeque::new(),
            under_way: Vec::new(),
            lock: None,
            runnable: false,
            is_stored: false,
            queued_due: None,
            changed_in: 0,
            stamp: 0,
            last_used: now,
        }
    }

    pub(super) fn from_record(record: EntityRecord, entity: EntityId) -> Self {
        let mut instance = Self::new(record.id, entity, record.last_operation);
        instance.saved = record.state;
        instance.lock = record.lock;
        instance.is_stored = true;
        let queue = record.queue.into_iter();
        instance.waiting = queue
            .map(|operation| WaitingOperation {
                operation,
                from: None,
            })
            .map(Waiting::Operation)
            .collect();
        instance
    }

    /// The row as it is to be; `None` if nothing is left of the entity.
    pub(super) fn record(&self) -> Option<EntityRecord> {
        let waiting = self.waiting.iter().filter_map(Waiting::operation);
        let stored = self.under_way.iter().chain(waiting);
        let queue: Vec<_> = stored
            .filter(|waiting| waiting.from.is_none())
            .map(|waiting| waiting.operation.clone())
            .collect();
        if self.saved.is_none() && queue.is_empty() && self.lock.is_none() {
            return None;
        }
        Some(EntityRecord {
            id: self.id.clone(),
            state: self.saved.clone(),
            last_operation: self.last_operation,
            due: Self::due_of(&queue),
            lock: self.lock.clone(),
            queue,
        })
    }

    /// A new owner has to look at once after what waits without a time.
    fn due_of(queue: &[EntityOperation]) -> Option<Due> {
        let times = queue
            .iter()
            .map(|operation| operation.at.map_or(Due::Now, Due::At));
        times.min()
    }

    /// When the next of what waits is due by itself. While the entity is busy or locked, nothing is.
    pub(super) fn next_time(&self) -> Option<DateTime<Utc>> {
        if self.is_busy() || self.lock.is_some() {
            return None;
        }
        let operations = self.waiting.iter().filter_map(Waiting::operation);
        operations.filter_map(|waiting| waiting.operation.at).min()
    }

    /// Takes the releases out of what waits, except for one that has calls of its own section before it:
    /// those go ahead of whoever is locked out.
    pub(super) fn take_releases(&mut self) -> Vec<(EntitySection, Origin)> {
        let is_release = |waiting: &Waiting| matches!(waiting, Waiting::Release(..));
        if !self.waiting.iter().any(is_release) {
            return Vec::new();
        }
        let mut released = Vec::new();
        let mut has_calls = false;
        for waiting in std::mem::take(&mut self.waiting) {
            match (waiting, &self.lock) {
                (Waiting::Release(section, from), lock)
                    if !has_calls || lock.as_ref() != Some(&section) =>
                {
                    released.push((section, from));
                }
                (waiting, lock) => {
                    let caller = waiting
                        .operation()
                        .and_then(|of| of.operation.caller.as_ref());
                    has_calls |= lock.as_ref().is_some_and(|lock| lock.admits(caller));
                    self.waiting.push_back(waiting);
                }
            }
        }
        released
    }

    /// Whether there is something that may be carried out at `now`.
    pub(super) fn has_ready(&self, now: DateTime<Utc>) -> bool {
        let lock = self.lock.as_ref();
        self.waiting
            .iter()
            .any(|waiting| waiting.is_ready(now, lock))
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Whether nothing would be lost by forgetting it.
    pub(super) fn is_at_rest(&self, committed: u64) -> bool {
        let is_stored = |waiting: &Waiting| {
            let operation = waiting.operation();
            operation.is_some_and(|waiting| waiting.from.is_none())
        };
        !self.runnable
            && !self.is_busy()
            && self.changed_in <= committed
            && self.waiting.iter().all(is_stored)
    }
}

impl fmt::Debug for EntityInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityInstance")
            .field("id", &self.id)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{EntityCaller, ExecutionId, MessageId, MessageOrigin, TaskId};

    fn section(holder: &str) -> EntitySection {
        let execution = ExecutionId(Uuid::nil());
        EntitySection {
            holder: EntityCaller {
                instance: InstanceId::trusted(holder),
                execution,
                task: TaskId(0),
            },
            run: execution,
        }
    }

    fn from() -> Origin {
        Origin::Inbox {
            id: MessageId {
                origin: MessageOrigin::Client,
                number: 0,
            },
            request: None,
        }
    }

    fn called(by: &str) -> Waiting {
        Waiting::Operation(WaitingOperation {
            operation: EntityOperation {
                name: "add".to_owned(),
                input: Payload::null(),
                caller: Some(section(by).holder),
                at: None,
            },
            from: Some(from()),
        })
    }

    /// Rule 38: the calls of the holder go ahead, also when its release has arrived behind them.
    #[test]
    fn a_release_comes_after_the_calls_of_its_section() {
        let id = InstanceId::trusted("@counter@k");
        let entity = EntityId::new("counter", "k");
        let mut instance = EntityInstance::new(id, entity, DateTime::UNIX_EPOCH);
        instance.lock = Some(section("holder"));
        let release = |of| Waiting::Release(section(of), from());
        let waiting = [
            called("other"),
            called("holder"),
            release("gone"),
            release("holder"),
        ];
        instance.waiting = waiting.into();
        // That of another section is of no use, and does not wait.
        assert_eq!(instance.take_releases().len(), 1);
        assert!(instance.take_releases().is_empty());
        let is_ready =
            |waiting: &Waiting| waiting.is_ready(DateTime::UNIX_EPOCH, instance.lock.as_ref());
        let ready: Vec<_> = instance.waiting.iter().map(is_ready).collect();
        assert_eq!(ready, [false, true, true]);
        instance.waiting.remove(1);
        assert_eq!(instance.take_releases().len(), 1);
        assert_eq!(instance.waiting.len(), 1);
    }
}
