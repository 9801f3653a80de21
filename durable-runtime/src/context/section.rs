//! The critical section of an orchestrator, and what is not allowed inside of it.

use std::rc::Rc;

use crate::model::{EntityId, Failure, TaskId};

/// A critical section that the code has asked for and not ended.
#[derive(Debug)]
pub(super) struct Section {
    /// The call that asked for it.
    pub(super) id: TaskId,
    /// In order.
    entities: Rc<[EntityId]>,
    stage: Stage,
    /// The calls of locked entities that have not been answered. There are as many as entities at most.
    in_flight: Vec<(EntityId, TaskId)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The code may do all but ask for another one.
    Requested,
    /// The code has the guard.
    Entered,
}

impl Section {
    pub(super) fn requested(id: TaskId, entities: Rc<[EntityId]>) -> Self {
        Self {
            id,
            entities,
            stage: Stage::Requested,
            in_flight: Vec::new(),
        }
    }

    pub(super) fn enter(&mut self) {
        self.stage = Stage::Entered;
    }

    /// Notes the call `id` of `entity`, if that is allowed.
    pub(super) fn call(&mut self, entity: &EntityId, id: TaskId) -> Result<(), Failure> {
        if self.stage == Stage::Requested {
            return Ok(());
        }
        if self.entities.binary_search(entity).is_err() {
            return Err(violation(format!(
                "entity \"{entity}\" is not locked, and inside a critical section only the entities \
                 that are locked can be called ({}): name it in `ctx.lock` as well, or call it \
                 before the lock or after the guard is dropped",
                list(&self.entities)
            )));
        }
        if self.in_flight.iter().any(|(called, _)| called == entity) {
            return Err(violation(format!(
                "entity \"{entity}\" is locked and has a call in flight: await that one before the \
                 next"
            )));
        }
        self.in_flight.push((entity.clone(), id));
        Ok(())
    }

    /// The call `id` was answered.
    pub(super) fn answered(&mut self, id: TaskId) {
        self.in_flight.retain(|(_, called)| *called != id);
    }

    pub(super) fn check_signal(&self, entity: &EntityId) -> Result<(), Failure> {
        if self.stage == Stage::Requested || self.entities.binary_search(entity).is_err() {
            return Ok(());
        }
        Err(violation(format!(
            "entity \"{entity}\" is locked and cannot be signalled: call it, or signal it after the \
             guard is dropped"
        )))
    }

    pub(super) fn check_sub_orchestration(&self) -> Result<(), Failure> {
        if self.stage == Stage::Requested {
            return Ok(());
        }
        Err(violation(format!(
            "an orchestrator cannot be called inside a critical section, here over {}: call it \
             before the lock or after the guard is dropped",
            list(&self.entities)
        )))
    }

    /// Another section is asked for.
    pub(super) fn nested(&self) -> Failure {
        violation(format!(
            "locks cannot be nested, and this orchestration has one over {} or has asked for it: \
             name all entities in one `ctx.lock`, or drop the guard first",
            list(&self.entities)
        ))
    }
}

/// What code is told that does what a critical section does not allow.
pub(super) fn violation(what: String) -> Failure {
    Failure::new(Failure::LOCK, what + " [critical_section]").non_retriable()
}

fn list(entities: &[EntityId]) -> String {
    let entities: Vec<_> = entities.iter().map(EntityId::to_string).collect();
    entities.join(", ")
}
