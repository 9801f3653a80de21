//! Entities, as `#[entity]` describes them, with their types erased.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use futures_core::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::code::{Otherwise, SerializeError, WriteOutput};
use super::{Register, StateKey};
use crate::context::{CallTarget, OperationInvocation, SignalTarget};
use crate::model::{EntityId, Failure, Payload};

/// A stateful object with an address. Implemented by `#[entity]` on an `impl` block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "not an entity",
    note = "put `#[entity]` on an `impl` block of the type"
)]
pub trait Entity: Register + Serialize + DeserializeOwned + Send + 'static {
    /// The name it is registered under.
    const NAME: &'static str = Self::REGISTRATION.name;
    /// Has a method for each operation, which calls it.
    type Calls: From<CallTarget>;
    /// Has a method for each operation, which signals it.
    type Signals<S: SignalTarget>: From<S>;
}

/// Operations that several entities may have. Implemented by `#[entity]` on a trait, for `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity interface",
    label = "not an entity interface",
    note = "put `#[entity]` on the trait, and name it as `dyn Trait`"
)]
pub trait EntityInterface {
    /// Has a method for each operation, which calls it.
    type Calls: From<CallTarget>;
    /// Has a method for each operation, which signals it.
    type Signals<S: SignalTarget>: From<S>;
}

/// The state of an entity in memory.
pub type EntityState = Box<dyn Any + Send>;

/// An entity, with its types erased.
#[derive(Clone, Copy)]
pub struct EntityFunction {
    /// The states of the host that its operations want injected.
    pub states: &'static [fn() -> StateKey],
    /// Reads a state that was saved, or makes the one that an entity begins with.
    pub begin: fn(&EntityId, Option<&Payload>) -> Result<EntityState, Failure>,
    /// Writes a state.
    pub save: fn(&(dyn Any + Send)) -> Result<Payload, Failure>,
    /// Its operations; more of them are in [`EntityOperations`].
    pub operations: &'static [Operation],
    /// Carries out the operations of other names, where the entity is a function.
    pub other: Option<OperationRun>,
}

impl fmt::Debug for EntityFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.operations.iter().map(|operation| operation.name);
        f.debug_list().entries(names).finish()
    }
}

/// The operations of an interface that an entity has.
#[derive(Debug, Clone, Copy)]
pub struct EntityOperations {
    /// The states of the host that the operations want injected.
    pub states: &'static [fn() -> StateKey],
    /// The operations.
    pub operations: &'static [Operation],
}

/// An operation.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its name; case does not matter.
    pub name: &'static str,
    /// How to carry it out.
    pub run: OperationRun,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How an operation is carried out on the state of its entity.
#[derive(Clone, Copy)]
pub enum OperationRun {
    /// A plain `fn`: at once, on the thread of the entity's partition.
    Sync(fn(&mut (dyn Any + Send), &OperationInvocation) -> Result<Payload, Failure>),
    /// An `async fn`: on the async runtime.
    Async(
        for<'a> fn(
            &'a mut (dyn Any + Send),
            &'a OperationInvocation,
        ) -> BoxFuture<'a, Result<Payload, Failure>>,
    ),
}

/// What the generated code makes of a state: [`EntityFunction::begin`] for types with a `Default`.
///
/// # Errors
///
/// A failure that names the type and the field that does not fit, when the state cannot be read.
pub fn begin_entity<E: Entity>(
    id: &EntityId,
    saved: Option<&Payload>,
    init: impl FnOnce(&EntityId) -> E,
) -> Result<EntityState, Failure> {
    let Some(saved) = saved else {
        return Ok(Box::new(init(id)));
    };
    let state: E = id.read_state(saved).map_err(|misfit| {
        let message = format!("{misfit} (the state is kept as it is)");
        Failure::new(Failure::SERIALIZATION, message).non_retriable()
    })?;
    Ok(Box::new(state))
}

/// [`EntityFunction::save`].
///
/// # Errors
///
/// A failure that names the type and the reason, when the state cannot be written.
pub fn save_entity<E: Entity>(state: &(dyn Any + Send)) -> Result<Payload, Failure> {
    let Some(state) = state.downcast_ref::<E>() else {
        return Err(other_type());
    };
    Payload::encode(state).map_err(|error| {
        let given = std::any::type_name::<E>();
        let message = format!("the state, a `{given}`, cannot be serialized: {error}");
        Failure::new(Failure::SERIALIZATION, message).non_retriable()
    })
}

/// The state as its type.
///
/// # Errors
///
/// A failure when it is of another type, which the registry rules out.
pub fn entity_state<E: 'static>(state: &mut (dyn Any + Send)) -> Result<&mut E, Failure> {
    state.downcast_mut().ok_or_else(other_type)
}

/// What an entity without an `init` begins with: `First::<E>::OF`.
#[derive(Debug)]
pub struct First<E>(PhantomData<fn() -> E>);

/// A state that nothing is known of before it is stored.
#[derive(Debug)]
pub struct Unknown<E>(PhantomData<fn() -> E>);

impl<E: Default> First<E> {
    /// Makes it.
    pub const OF: fn() -> E = E::default;
}

impl<E> Otherwise for First<E> {
    type Of = Unknown<E>;
    const OF: Unknown<E> = Unknown(PhantomData);
}

/// What makes the state that `E` begins with.
#[diagnostic::on_unimplemented(
    message = "the entity `{E}` has no state to begin with",
    label = "this has no `Default`",
    note = "derive or implement `Default` for it, or name the function that makes its first state: \
            `#[entity(init = path)]`, a `fn(&EntityId) -> {E}`"
)]
pub trait Begins<E> {
    /// Makes it.
    fn begin(self) -> E;
}

impl<E> Begins<E> for fn() -> E {
    fn begin(self) -> E {
        self()
    }
}

/// [`EntityFunction::begin`] for types without an `init`.
///
/// # Errors
///
/// As [`begin_entity`].
pub fn begin_with_default<E: Entity, F: Begins<E>>(
    id: &EntityId,
    saved: Option<&Payload>,
    first: F,
) -> Result<EntityState, Failure> {
    begin_entity(id, saved, |_| first.begin())
}

/// The future of an operation that is async. It begins in the future, so that a panic in reading the
/// input is one of the operation.
pub fn operation<'a, R: 'a>(
    invocation: &'a OperationInvocation,
    begin: impl FnOnce() -> Result<BoxFuture<'a, R>, Failure> + Send + 'a,
    write: WriteOutput<R>,
    details: SerializeError<R>,
) -> BoxFuture<'a, Result<Payload, Failure>> {
    Box::pin(async move {
        let returned = begin()?.await;
        invocation.output(returned, write, details)
    })
}

pub(super) fn other_type() -> Failure {
    Failure::new(
        Failure::PANIC,
        "the state is of another type than its entity",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::{Deserialize, Serialize};
    use uuid::Uuid;

    use super::super::Function;
    use super::*;
    use crate::context::{EntityContext, OperationCall, States};
    use crate::entity;
    use crate::model::{Error, Result};

    #[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
    #[error("over by {over}")]
    struct TooMuch {
        over: i64,
    }

    #[derive(Serialize, Deserialize)]
    struct Counter {
        value: i64,
    }

    #[entity(init = Counter::of_key)]
    impl Counter {
        fn of_key(id: &EntityId) -> Self {
            let value = id.key().len().try_into().unwrap_or_default();
            Self { value }
        }

        fn add(&mut self, amount: i64) -> std::result::Result<i64, TooMuch> {
            self.value += amount;
            match self.value {
                value @ ..=100 => Ok(value),
                value => Err(TooMuch { over: value - 100 }),
            }
        }

        async fn name(&self, ctx: EntityContext) -> String {
            std::future::ready(ctx.operation_name().to_owned()).await
        }
    }

    #[entity]
    fn document(ctx: EntityContext) -> Result<u8> {
        match ctx.operation_name() {
            "set" => ctx.set_state(ctx.input::<String>()?),
            "get" => ctx.return_value(ctx.state::<String>()?),
            "delete" => ctx.delete_state(),
            _ => return Err(Error::msg("no such operation")),
        }
        Ok(u8::from(ctx.has_state()))
    }

    fn invocation(operation: &str, input: impl Serialize) -> OperationInvocation {
        let context = EntityContext::new(OperationCall {
            id: EntityId::new("any", "key"),
            operation: operation.to_owned(),
            input: Payload::encode(&input).unwrap(),
            is_new: true,
            seed: Uuid::nil(),
            number: 0,
            max_payload_bytes: 1000,
        });
        OperationInvocation::new(context, Arc::new(States::default()))
    }

    async fn run(
        run: OperationRun,
        state: &mut EntityState,
        invocation: &OperationInvocation,
    ) -> Result<String, Failure> {
        let output = match run {
            OperationRun::Sync(run) => run(&mut **state, invocation),
            OperationRun::Async(run) => run(&mut **state, invocation).await,
        };
        output.map(|output| output.as_json().to_owned())
    }

    fn function<E: Register>() -> EntityFunction {
        match E::REGISTRATION.function {
            Function::Entity(function) => function,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn operations_work_on_the_state() {
        let function = function::<Counter>();
        let [add, name] = function.operations else {
            panic!("{function:?}");
        };
        let mut state = (function.begin)(&Counter::id("abc"), None).unwrap();
        let sum = run(add.run, &mut state, &invocation("Add", 4)).await;
        assert_eq!(sum.unwrap(), "7");
        let saved = (function.save)(&*state).unwrap();
        assert_eq!(saved.as_json(), r#"{"value":7}"#);

        let mut state = (function.begin)(&Counter::id("other"), Some(&saved)).unwrap();
        let output = run(name.run, &mut state, &invocation("NAME", ())).await;
        assert_eq!(output.unwrap(), r#""NAME""#);
        let failure = run(add.run, &mut state, &invocation("add", 100)).await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.message(), "over by 7");
        assert_eq!(failure.details(), Some(TooMuch { over: 7 }));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named() {
        let function = function::<Counter>();
        let saved = Payload::encode(&serde_json::json!({ "value": "seven" })).unwrap();
        let failure = (function.begin)(&Counter::id("a"), Some(&saved)).unwrap_err();
        for named in ["@counter@a", "entity::tests::Counter", "`value`", "seven"] {
            assert!(failure.message().contains(named), "{failure}");
        }
        let mut state = (function.begin)(&Counter::id("a"), None).unwrap();
        let invocation = invocation("add", "x");
        let failure = run(function.operations[0].run, &mut state, &invocation).await;
        let failure = failure.unwrap_err();
        assert!(
            failure.message().contains(r#"operation "add""#),
            "{failure}"
        );
    }

    #[tokio::test]
    async fn a_function_has_a_document() {
        let function = function::<document>();
        let other = function.other.unwrap();
        let mut state = (function.begin)(&document::id("a"), None).unwrap();
        let mut outputs = Vec::new();
        let mut deletions = Vec::new();
        for (operation, input) in [("get", ""), ("set", "a"), ("get", ""), ("delete", "")] {
            let invocation = invocation(operation, input);
            outputs.push(run(other, &mut state, &invocation).await.unwrap());
            let effects = invocation.context().take_effects();
            assert!(effects.failure.is_none());
            deletions.push(effects.delete_state);
        }
        assert_eq!(outputs, ["null", "1", r#""a""#, "0"]);
        assert_eq!(deletions, [true, false, false, true]);
        run(other, &mut state, &invocation("set", "b"))
            .await
            .unwrap();
        let failed = run(other, &mut state, &invocation("reset", ())).await;
        assert!(failed.is_err());
        let saved = (function.save)(&*state).unwrap();
        assert_eq!(saved.as_json(), r#""b""#);
        let state = (function.begin)(&document::id("a"), Some(&saved)).unwrap();
        assert_eq!((function.save)(&*state).unwrap(), saved);
    }

    #[test]
    fn only_a_function_has_a_document() {
        let context = invocation("add", ()).context();
        assert!(context.state::<i64>().is_err() && !context.has_state());
        context.set_state(1);
        assert!(context.take_effects().failure.is_some());
    }
}
