//! Critical sections over entities: the task that asks for one, and the guard that it gives.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::EntityCall;
use super::core::{Core, Outcome};
use super::section::violation;
use super::signals::CallTarget;
use crate::model::{EntityId, Failure, TaskFailed, TaskId};
use crate::registry::{Entity, EntityInterface};

/// The request for a critical section over entities: a durable task of its [`LockGuard`].
///
/// It takes its number when it is made and goes out when it is first polled (or with
/// [`start`](Self::start)). Dropping it gives the request up.
#[must_use = "the entities are locked only when the task is awaited [unawaited]"]
pub struct LockEntities {
    core: Rc<Core>,
    id: TaskId,
    entities: Rc<[EntityId]>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New,
    Refused(Failure),
    Requested,
    Done,
}

impl LockEntities {
    pub(crate) fn new(core: &Rc<Core>, entities: impl IntoIterator<Item = EntityId>) -> Self {
        let mut entities: Vec<_> = entities.into_iter().collect();
        entities.sort_unstable();
        entities.dedup();
        let stage = check(&entities).map_or_else(Stage::Refused, |()| Stage::New);
        Self {
            core: Rc::clone(core),
            id: core.next_task_id(),
            entities: entities.into(),
            stage,
        }
    }

    /// Asks for the section now and gives the task, to be awaited later.
    pub fn start(mut self) -> Self {
        self.request();
        self
    }

    fn request(&mut self) {
        if let Stage::New = self.stage {
            let requested = self.core.request_lock(self.id, &self.entities);
            self.stage = requested.map_or_else(Stage::Refused, |()| Stage::Requested);
        }
    }

    fn failed(failure: Failure) -> Poll<Result<LockGuard, TaskFailed>> {
        Poll::Ready(Err(TaskFailed::new("lock", failure)))
    }
}

fn check(entities: &[EntityId]) -> Result<(), Failure> {
    if entities.is_empty() {
        let message = "`ctx.lock` was given no entities: name those that are to be locked";
        return Err(violation(message.to_owned()));
    }
    for entity in entities {
        entity
            .instance()
            .map_err(|error| Failure::from_error(&error).non_retriable())?;
    }
    Ok(())
}

impl Future for LockEntities {
    type Output = Result<LockGuard, TaskFailed>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.request();
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Refused(failure) => Self::failed(failure),
            Stage::New | Stage::Done => {
                let message = "a durable task was polled after it had ended";
                Self::failed(Failure::new(Failure::PANIC, message))
            }
            Stage::Requested => match self.core.poll_outcome(self.id) {
                Some(Outcome::Locked) => {
                    self.core.enter_section(self.id);
                    Poll::Ready(Ok(LockGuard {
                        core: Rc::clone(&self.core),
                        id: self.id,
                        entities: Rc::clone(&self.entities),
                    }))
                }
                Some(Outcome::Returned(Err(failure))) => {
                    self.core.forget_section(self.id);
                    Self::failed(failure)
                }
                _ => {
                    self.stage = Stage::Requested;
                    Poll::Pending
                }
            },
        }
    }
}

impl Drop for LockEntities {
    fn drop(&mut self) {
        if let Stage::Requested = self.stage {
            self.core.release_lock(self.id);
        }
    }
}

impl fmt::Debug for LockEntities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockEntities")
            .field("entities", &self.entities)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

/// A critical section over entities: while it is there, only this orchestration's calls reach them.
///
/// Dropping it releases them all, and so does the end of the orchestration, whichever way it ends.
/// Inside of the section
///
/// * only locked entities can be called, each by one call at a time;
/// * locked entities cannot be signalled;
/// * no orchestrator can be called, and no other section be asked for.
///
/// A call that breaks a rule fails with [`Failure::LOCK`], and is not retried; a signal that does fails
/// the orchestration.
#[must_use = "the entities are locked until the guard is dropped, which is at once unless it has a name"]
pub struct LockGuard {
    core: Rc<Core>,
    id: TaskId,
    entities: Rc<[EntityId]>,
}

impl LockGuard {
    /// The locked entities, each once, in the order in which they were locked.
    pub fn entities(&self) -> &[EntityId] {
        &self.entities
    }

    /// Calls the locked entity `key` of the kind `E`, as
    /// [`ctx.entity`](super::OrchestrationContext::entity) does.
    pub fn entity<E: Entity>(&self, key: impl Into<String>) -> E::Calls {
        CallTarget::new(&self.core, EntityId::new(E::NAME, key)).into()
    }

    /// Calls a locked entity through an interface that it has.
    pub fn entity_as<I: EntityInterface + ?Sized>(&self, id: EntityId) -> I::Calls {
        CallTarget::new(&self.core, id).into()
    }

    /// Calls the operation `operation` of a locked entity, whose input and output are not checked by
    /// the compiler.
    pub fn call_entity<O: DeserializeOwned>(
        &self,
        id: EntityId,
        operation: &str,
        input: impl Serialize,
    ) -> EntityCall<O> {
        CallTarget::new(&self.core, id).call(operation, &input)
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.core.release_lock(self.id);
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("entities", &self.entities)
            .finish_non_exhaustive()
    }
}
