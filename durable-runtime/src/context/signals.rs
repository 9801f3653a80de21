//! Calls and signals of entities, as their generated proxies make them.

use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::EntityCall;
use super::core::Core;
use super::time::to_stored_precision;
use crate::model::{EntityId, EventKind, Failure, Payload};

pub(crate) mod sealed {
    /// What can send signals.
    pub trait Target {}
}

/// Who sends a signal: an orchestrator, an entity or a client.
pub trait SignalTarget: sealed::Target + Sized {
    /// What sending gives: nothing in an orchestrator and in an entity, in a client a future.
    type Sent;

    /// Has what is sent carried out at `time`, not before.
    #[must_use]
    fn at(self, time: DateTime<Utc>) -> Self;

    /// Sends a signal.
    fn send(&self, operation: &str, input: &impl Serialize) -> Self::Sent;
}

/// The entity that the methods of a proxy call.
#[derive(Debug, Clone)]
pub struct CallTarget {
    core: Rc<Core>,
    id: EntityId,
}

impl CallTarget {
    pub(crate) fn new(core: &Rc<Core>, id: EntityId) -> Self {
        Self {
            core: Rc::clone(core),
            id,
        }
    }

    /// Calls an operation.
    pub fn call<O: DeserializeOwned>(
        &self,
        operation: &str,
        input: &impl Serialize,
    ) -> EntityCall<O> {
        EntityCall::new(&self.core, self.id.clone(), operation, input)
    }
}

/// Sends signals of an orchestrator.
#[derive(Debug, Clone)]
pub struct OrchestrationSignals {
    core: Rc<Core>,
    id: EntityId,
    at: Option<DateTime<Utc>>,
}

impl OrchestrationSignals {
    pub(crate) fn new(core: &Rc<Core>, id: EntityId) -> Self {
        Self {
            core: Rc::clone(core),
            id,
            at: None,
        }
    }
}

impl sealed::Target for OrchestrationSignals {}

impl SignalTarget for OrchestrationSignals {
    type Sent = ();

    fn at(mut self, time: DateTime<Utc>) -> Self {
        self.at = Some(to_stored_precision(time));
        self
    }

    /// # Panics
    ///
    /// Fails the orchestration if the entity's id is not valid, it is locked by this orchestration, or the
    /// input cannot be serialized or is over the payload limit.
    fn send(&self, operation: &str, input: &impl Serialize) {
        let limit = self.core.identity.max_payload_bytes;
        let checked = self.id.instance();
        let input = checked
            .map_err(|error| Failure::from_error(&error))
            .and_then(|_| {
                self.core
                    .check_section(|section| section.check_signal(&self.id))
            })
            .and_then(|()| Payload::encode(input).map_err(|error| Failure::from_error(&error)))
            .and_then(|input| match input.check_size(limit) {
                Ok(()) => Ok(input),
                Err(error) => Err(Failure::from_error(&error)),
            })
            .unwrap_or_else(|failure| Core::abort(failure));
        let id = self.core.next_task_id();
        self.core.emit(EventKind::EntitySignaled {
            id,
            entity: self.id.clone(),
            operation: operation.to_owned(),
            input,
            at: self.at,
        });
    }
}
