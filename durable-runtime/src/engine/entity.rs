//! One batch of an entity: operations carried out one after the other on its state.
//!
//! An operation that fails leaves the state as it was before it. To write the state down before each
//! operation, lest it should fail, would cost more than most operations do. So the operations run one
//! after the other on the state in memory, and when one fails those since the last savepoint are
//! repeated from there, with a savepoint after each. Nothing of a batch has been seen by anyone before
//! all of it is committed, so a repetition is the same as one after a crash. Around an async
//! operation, which may do something in the outside world, there is always a savepoint: it is repeated
//! only when a crash comes in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use uuid::Uuid;

use crate::context::{EntityContext, EntityEffects, OperationCall, OperationInvocation, States};
use crate::model::{EntityId, EntityOperation, Failure, Payload};
use crate::registry::{EntityState, OperationRun, RegisteredEntity};

/// The operations that are to be carried out together.
pub(crate) struct EntityBatch {
    pub(crate) entity: EntityId,
    /// The state as it is stored.
    pub(crate) saved: Option<Payload>,
    /// The same in memory, where it is there already.
    pub(crate) state: Option<EntityState>,
    pub(crate) operations: Vec<EntityOperation>,
    /// What the ids of started orchestrations are made of: another one for each batch.
    pub(crate) seed: Uuid,
    pub(crate) max_payload_bytes: usize,
    pub(crate) states: Arc<States>,
}

/// What became of a batch.
pub(crate) struct EntityBatchDone {
    /// The state to be stored.
    pub(crate) saved: Option<Payload>,
    /// The same in memory; `None` where it has to be read again.
    pub(crate) state: Option<EntityState>,
    /// One for each operation, in order.
    pub(crate) outcomes: Vec<OperationOutcome>,
}

/// How an operation ended. One that failed has no effects.
#[derive(Debug)]
pub(crate) struct OperationOutcome {
    pub(crate) result: Result<Payload, Failure>,
    pub(crate) effects: EntityEffects,
}

impl OperationOutcome {
    fn failed(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            effects: EntityEffects::default(),
        }
    }
}

/// Whether one of the operations is to run on the async runtime.
pub(crate) fn needs_runtime(entity: &RegisteredEntity, operations: &[EntityOperation]) -> bool {
    operations.iter().any(|operation| {
        let run = entity.operation(&operation.name);
        matches!(run, Ok(Some(OperationRun::Async(_))))
    })
}

/// Carries out a batch. Without async operations the future is ready at once.
pub(crate) async fn run_batch(entity: &RegisteredEntity, batch: EntityBatch) -> EntityBatchDone {
    let EntityBatch {
        entity: id,
        saved,
        state,
        operations,
        seed,
        max_payload_bytes,
        states,
    } = batch;
    let mut run = Run {
        entity,
        id,
        seed,
        max_payload_bytes,
        states,
        state: state.filter(|_| !entity.is_stand_in),
        savepoint: Savepoint { saved, next: 0 },
        is_changed: false,
        is_careful_before: 0,
        outcomes: Vec::with_capacity(operations.len()),
    };
    while run.outcomes.len() < operations.len() || run.is_changed {
        match operations.get(run.outcomes.len()) {
            Some(operation) => run.step(operation).await,
            // All went well; what remains is to write the state.
            None => run.save_or_repeat(operations.len()),
        }
    }
    EntityBatchDone {
        saved: run.savepoint.saved,
        state: run.state,
        outcomes: run.outcomes,
    }
}

/// A batch under way.
struct Run<'a> {
    entity: &'a RegisteredEntity,
    id: EntityId,
    seed: Uuid,
    max_payload_bytes: usize,
    states: Arc<States>,
    state: Option<EntityState>,
    savepoint: Savepoint,
    /// Whether operations have run since the savepoint.
    is_changed: bool,
    /// Operations before this one are followed by a savepoint each.
    is_careful_before: usize,
    outcomes: Vec<OperationOutcome>,
}

/// The state, written down.
struct Savepoint {
    saved: Option<Payload>,
    /// The operation that came next.
    next: usize,
}

impl Run<'_> {
    /// Carries out the next operation, or goes back to the savepoint to repeat what came before it.
    async fn step(&mut self, operation: &EntityOperation) {
        let at = self.outcomes.len();
        let run = match self.entity.operation(&operation.name) {
            Ok(run) => run,
            Err(failure) => {
                self.outcomes.push(OperationOutcome::failed(failure));
                if !self.is_changed {
                    self.savepoint.next = at + 1;
                }
                return;
            }
        };
        let is_async = matches!(run, Some(OperationRun::Async(_)));
        if is_async && !self.save_before(at) {
            return;
        }
        let ended = self.carry_out(operation, run, at).await;
        self.is_changed = true;
        match ended {
            Err(failure) if self.savepoint.next == at => {
                self.restore();
                self.outcomes.push(OperationOutcome::failed(failure));
                self.savepoint.next = at + 1;
            }
            Err(_) => self.repeat(at),
            Ok(outcome) => {
                self.outcomes.push(outcome);
                if is_async || at < self.is_careful_before {
                    self.save_or_repeat(at + 1);
                }
            }
        }
    }

    /// Writes the state down before the operation `at`. If that cannot be done, an operation since
    /// the last savepoint is to blame, and `false` is returned: they are repeated.
    fn save_before(&mut self, at: usize) -> bool {
        if self.is_changed {
            self.save_or_repeat(at);
        }
        !self.is_changed && self.outcomes.len() == at
    }

    /// Makes a savepoint before the operation `next`, which is the one to come. A state that cannot be
    /// written down is a failure of the operation that made it.
    fn save_or_repeat(&mut self, next: usize) {
        match self.save() {
            Ok(saved) => {
                self.savepoint = Savepoint { saved, next };
                self.is_changed = false;
            }
            Err(failure) if self.savepoint.next + 1 == next => {
                self.restore();
                self.outcomes.pop();
                self.outcomes.push(OperationOutcome::failed(failure));
                self.savepoint.next = next;
            }
            Err(_) => self.repeat(next),
        }
    }

    fn save(&self) -> Result<Option<Payload>, Failure> {
        let Some(state) = &self.state else {
            return Ok(None);
        };
        let saved = (self.entity.function.save)(&**state)?;
        saved.check_size(self.max_payload_bytes).map_err(|error| {
            let message = format!(
                "the state of entity \"{}\" cannot be stored: {error}",
                self.id
            );
            Failure::new(Failure::PAYLOAD_TOO_LARGE, message).non_retriable()
        })?;
        Ok(Some(saved))
    }

    /// Has the operations from the savepoint to before `end` run again, with a savepoint after each.
    fn repeat(&mut self, end: usize) {
        self.restore();
        self.outcomes.truncate(self.savepoint.next);
        self.is_careful_before = end;
    }

    /// Goes back to the state of the savepoint, which is read when it is needed.
    fn restore(&mut self) {
        self.state = None;
        self.is_changed = false;
    }

    async fn carry_out(
        &mut self,
        operation: &EntityOperation,
        run: Option<OperationRun>,
        at: usize,
    ) -> Result<OperationOutcome, Failure> {
        let is_new = self.state.is_none() && self.savepoint_is_empty();
        let Some(run) = run else {
            self.delete();
            return Ok(OperationOutcome {
                result: Ok(Payload::null()),
                effects: EntityEffects::default(),
            });
        };
        let context = EntityContext::new(OperationCall {
            id: self.id.clone(),
            operation: operation.name.clone(),
            input: operation.input.clone(),
            is_new,
            seed: self.seed,
            number: at,
            max_payload_bytes: self.max_payload_bytes,
        });
        let invocation = OperationInvocation::new(context.clone(), Arc::clone(&self.states));
        let state = self.state()?;
        let returned = match run {
            OperationRun::Sync(run) => {
                catch_unwind(AssertUnwindSafe(|| run(&mut **state, &invocation)))
            }
            OperationRun::Async(run) => {
                // Not only the polls of the future: making it may panic as well.
                let future = async { run(&mut **state, &invocation).await };
                AssertUnwindSafe(future).catch_unwind().await
            }
        };
        let result = returned.unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)))?;
        result.check_size(self.max_payload_bytes).map_err(|error| {
            let message = format!("the output of operation {:?}: {error}", operation.name);
            Failure::new(Failure::PAYLOAD_TOO_LARGE, message).non_retriable()
        })?;
        let mut effects = context.take_effects();
        if let Some(failure) = effects.failure.take() {
            return Err(failure);
        }
        if effects.delete_state {
            self.delete();
        }
        Ok(OperationOutcome {
            result: Ok(result),
            effects,
        })
    }

    fn savepoint_is_empty(&self) -> bool {
        self.is_changed || self.savepoint.saved.is_none()
    }

    /// From here on there is no state, until an operation begins anew.
    fn delete(&mut self) {
        self.state = None;
        self.is_changed = true;
    }

    /// The state in memory, read or begun if it is not there.
    fn state(&mut self) -> Result<&mut EntityState, Failure> {
        match &mut self.state {
            Some(_) => {}
            none => {
                // What was changed and is not there was deleted.
                let saved = self.savepoint.saved.as_ref().filter(|_| !self.is_changed);
                let begin = AssertUnwindSafe(|| (self.entity.function.begin)(&self.id, saved));
                let state = catch_unwind(begin)
                    .unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)))?;
                *none = Some(state);
            }
        }
        self.state
            .as_mut()
            .ok_or_else(|| Failure::new(Failure::PANIC, "the state of the entity was not begun"))
    }
}

#[cfg(test)]
#[path = "entity_tests.rs"]
mod tests;
