//! What an operation of an entity touches.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::activity::decode_input;
use super::signals::{SignalTarget, sealed};
use super::{State, States};
use crate::model::{EntityId, EntityOperation, Error, Failure, Payload, Result};
use crate::registry::code::{ReadInput, SerializeError, WriteOutput};
use crate::registry::{Entity, EntityInterface, Orchestrator};

/// What an operation of an entity can ask and do besides changing the state. Cheap to clone.
///
/// What an operation sends goes out when it has returned, in the transaction in which its state is
/// stored; nothing of it if it fails.
#[derive(Clone)]
pub struct EntityContext {
    shared: Arc<Shared>,
}

struct Shared {
    id: EntityId,
    operation: String,
    input: Payload,
    is_new: bool,
    /// What the ids of started orchestrations are made of: the batch, and the place in it.
    seed: Uuid,
    number: usize,
    max_payload_bytes: usize,
    effects: Mutex<EntityEffects>,
    /// The state and the output, where the entity is a function.
    document: Mutex<Option<Document>>,
}

/// What an operation of an entity that is a function has before it.
struct Document {
    state: Option<Payload>,
    returned: Option<Payload>,
}

/// What an operation did.
#[derive(Debug, Default)]
pub(crate) struct EntityEffects {
    pub(crate) signals: Vec<(EntityId, EntityOperation)>,
    pub(crate) starts: Vec<EntityStart>,
    pub(crate) delete_state: bool,
    /// The first thing that it asked for and that cannot be done.
    pub(crate) failure: Option<Failure>,
}

/// An orchestration that an operation starts.
#[derive(Debug)]
pub(crate) struct EntityStart {
    pub(crate) instance: String,
    pub(crate) name: String,
    pub(crate) input: Payload,
}

/// What an operation is about to run with.
#[derive(Debug)]
pub(crate) struct OperationCall {
    pub(crate) id: EntityId,
    pub(crate) operation: String,
    pub(crate) input: Payload,
    /// Whether the entity had no state before.
    pub(crate) is_new: bool,
    pub(crate) seed: Uuid,
    pub(crate) number: usize,
    pub(crate) max_payload_bytes: usize,
}

impl Shared {
    fn read<I>(&self, read: ReadInput<I>) -> Result<I, Failure> {
        let (operation, id) = (&self.operation, &self.id);
        read(
            &format_args!("operation {operation:?} of entity \"{id}\""),
            &self.input,
        )
    }
}

impl fmt::Debug for EntityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityContext")
            .field("entity", &self.shared.id)
            .field("operation", &self.shared.operation)
            .finish_non_exhaustive()
    }
}

impl EntityContext {
    pub(crate) fn new(call: OperationCall) -> Self {
        let OperationCall {
            id,
            operation,
            input,
            is_new,
            seed,
            number,
            max_payload_bytes,
        } = call;
        Self {
            shared: Arc::new(Shared {
                id,
                operation,
                input,
                is_new,
                seed,
                number,
                max_payload_bytes,
                effects: Mutex::default(),
                document: Mutex::default(),
            }),
        }
    }

    /// The entity's address.
    pub fn entity_id(&self) -> &EntityId {
        &self.shared.id
    }

    /// The operation, as the caller wrote it.
    pub fn operation_name(&self) -> &str {
        &self.shared.operation
    }

    /// What the operation was given.
    ///
    /// # Errors
    ///
    /// If that does not fit `T`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        self.shared.read(decode_input).map_err(Error::from_failure)
    }

    /// Whether the entity had no state before this operation.
    pub fn is_newly_constructed(&self) -> bool {
        self.shared.is_new
    }

    /// Deletes the entity when the operation has returned: the next one begins anew.
    pub fn delete_state(&self) {
        self.effects().delete_state = true;
        if let Some(document) = &mut *self.document() {
            document.state = None;
        }
    }

    /// The state of an entity that is a function, as it is now; `None` before it has one.
    ///
    /// # Errors
    ///
    /// If it does not fit `T`, and in an entity that is a type: its operations have it as `self`.
    pub fn state<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        let document = self.document();
        let Some(document) = &*document else {
            return Err(Error::from_failure(not_a_function("state")));
        };
        let read = |state| self.shared.id.read_state(state);
        let state = document.state.as_ref().map(read).transpose();
        state.map_err(|misfit| Error::from_failure(misfit.into()))
    }

    /// Whether an entity that is a function has a state now.
    pub fn has_state(&self) -> bool {
        let document = self.document();
        document
            .as_ref()
            .is_some_and(|document| document.state.is_some())
    }

    /// Sets the state of an entity that is a function. `null` is no state.
    ///
    /// The operation fails if `value` cannot be serialized or is over the payload limit, and in an
    /// entity that is a type: its operations have the state as `self`.
    pub fn set_state(&self, value: impl Serialize) {
        if let Some(state) = self.encode_document("set_state", &value) {
            if let Some(document) = &mut *self.document() {
                document.state = Some(state).filter(|state| *state != Payload::null());
            }
            self.effects().delete_state = false;
        }
    }

    /// Has an entity that is a function answer the call with `value`, and not with what it returns.
    ///
    /// The operation fails if `value` cannot be serialized or is over the payload limit, and in an
    /// entity that is a type: its operations return the value.
    pub fn return_value(&self, value: impl Serialize) {
        if let Some(returned) = self.encode_document("return_value", &value)
            && let Some(document) = &mut *self.document()
        {
            document.returned = Some(returned);
        }
    }

    fn encode_document(&self, method: &str, value: &impl Serialize) -> Option<Payload> {
        let is_function = self.document().is_some();
        let encoded = if is_function {
            self.encode(value)
        } else {
            Err(not_a_function(method))
        };
        encoded
            .map_err(|failure| self.effects().failure.get_or_insert(failure).clone())
            .ok()
    }

    fn document(&self) -> MutexGuard<'_, Option<Document>> {
        let document = self.shared.document.lock();
        document.unwrap_or_else(PoisonError::into_inner)
    }

    /// Signals the entity `key` of the kind `E`: one way, when this operation has returned.
    pub fn signal<E: Entity>(&self, key: impl Into<String>) -> E::Signals<EntitySignals> {
        self.signals(EntityId::new(E::NAME, key)).into()
    }

    /// Signals an entity through an interface that it has.
    pub fn signal_as<I: EntityInterface + ?Sized>(
        &self,
        id: EntityId,
    ) -> I::Signals<EntitySignals> {
        self.signals(id).into()
    }

    /// Signals the operation `operation` of an entity, of which the compiler checks nothing.
    pub fn signal_entity(&self, id: EntityId, operation: &str, input: impl Serialize) {
        self.signals(id).send(operation, &input);
    }

    /// Starts the orchestrator `O` when this operation has returned. Gives the id of the instance.
    pub fn start_new<O: Orchestrator>(&self, input: impl Into<O::Input>) -> String {
        self.start_new_by_name(O::NAME, input.into())
    }

    /// Starts the orchestrator that is registered as `name`, as [`start_new`](Self::start_new) does.
    pub fn start_new_by_name(&self, name: &str, input: impl Serialize) -> String {
        let input = self.encode(&input);
        let mut effects = self.effects();
        let name_of_start = format!("{}-{}", self.shared.number, effects.starts.len());
        let instance = Uuid::new_v5(&self.shared.seed, name_of_start.as_bytes());
        let instance = instance.simple().to_string();
        match input {
            Ok(input) => effects.starts.push(EntityStart {
                instance: instance.clone(),
                name: name.to_owned(),
                input,
            }),
            Err(failure) => {
                effects.failure.get_or_insert(failure);
            }
        }
        instance
    }

    pub(crate) fn take_effects(&self) -> EntityEffects {
        std::mem::take(&mut *self.effects())
    }

    fn signals(&self, id: EntityId) -> EntitySignals {
        EntitySignals {
            context: self.clone(),
            id,
            at: None,
        }
    }

    fn encode(&self, value: &impl Serialize) -> Result<Payload, Failure> {
        let payload = Payload::encode(value).map_err(|error| Failure::from_error(&error))?;
        payload
            .check_size(self.shared.max_payload_bytes)
            .map_err(|error| Failure::from_error(&error))?;
        Ok(payload)
    }

    fn effects(&self) -> MutexGuard<'_, EntityEffects> {
        let effects = self.shared.effects.lock();
        effects.unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_a_function(method: &str) -> Failure {
    let message = format!(
        "`{method}` is for entities that are functions: an operation of a type has its state as \
         `self`, and returns its output"
    );
    Failure::new(Failure::PANIC, message).non_retriable()
}

/// Sends signals of an operation.
#[derive(Debug, Clone)]
pub struct EntitySignals {
    context: EntityContext,
    id: EntityId,
    at: Option<DateTime<Utc>>,
}

impl sealed::Target for EntitySignals {}

impl SignalTarget for EntitySignals {
    type Sent = ();

    fn at(mut self, time: DateTime<Utc>) -> Self {
        self.at = Some(time);
        self
    }

    fn send(&self, operation: &str, input: &impl Serialize) {
        let is_valid = self.id.instance().map(drop);
        let encoded = is_valid
            .map_err(|error| Failure::from_error(&error))
            .and_then(|()| self.context.encode(input));
        let mut effects = self.context.effects();
        match encoded {
            Ok(input) => {
                let signal = EntityOperation {
                    name: operation.to_owned(),
                    input,
                    caller: None,
                    at: self.at,
                };
                effects.signals.push((self.id.clone(), signal));
            }
            Err(failure) => {
                effects.failure.get_or_insert(failure);
            }
        }
    }
}

/// One run of an operation, as its generated wrapper receives it.
#[derive(Debug)]
pub struct OperationInvocation {
    context: EntityContext,
    states: Arc<States>,
}

impl OperationInvocation {
    pub(crate) fn new(context: EntityContext, states: Arc<States>) -> Self {
        Self { context, states }
    }

    /// The context.
    pub fn context(&self) -> EntityContext {
        self.context.clone()
    }

    /// The input, read by [`Input::OF`](crate::registry::code::Input).
    ///
    /// # Errors
    ///
    /// A failure that is not retried, naming the operation and what does not fit.
    pub fn read<I>(&self, read: ReadInput<I>) -> Result<I, Failure> {
        self.context.shared.read(read)
    }

    /// What the operation returned, written by [`Output::OF`](crate::registry::code::Output).
    ///
    /// # Errors
    ///
    /// The failure that the operation returned, or that its output cannot be serialized.
    pub fn output<R>(
        &self,
        returned: R,
        write: WriteOutput<R>,
        details: SerializeError<R>,
    ) -> Result<Payload, Failure> {
        write(
            "operation",
            &self.context.shared.operation,
            returned,
            details,
        )
    }

    /// Has the operation work on a copy of the state.
    pub(crate) fn lend_document(&self, state: Option<Payload>) {
        *self.context.document() = Some(Document {
            state,
            returned: None,
        });
    }

    /// Takes over what the operation made of the copy; gives what it returned with
    /// [`return_value`](EntityContext::return_value). An entity that has no state is no more.
    pub(crate) fn return_document(&self, state: &mut Option<Payload>) -> Option<Payload> {
        let document = self.context.document().take()?;
        *state = document.state;
        self.context.effects().delete_state = state.is_none();
        document.returned
    }

    /// An injected state of the host.
    ///
    /// # Errors
    ///
    /// A failure when the host has none of the type, which its start has ruled out.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<State<T>, Failure> {
        self.states.injected()
    }
}
