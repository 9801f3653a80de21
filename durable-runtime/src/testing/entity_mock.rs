//! Entities that a test plays.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::desk::Desk;
use super::mock::Mocks;
use super::played::Played;
use crate::context::{EntityContext, OperationInvocation, decode_input, encode_output};
use crate::model::{EntityId, Failure, IntoFailure, Payload, Result};
use crate::registry::document::on_document_later;
use crate::registry::{OperationRun, Registry};

/// What a test has given the operations of an entity to do in place of their code, and the calls they got.
/// Made by [`TestHost::mock_entity`](super::TestHost::mock_entity). Clones are one and the same.
///
/// Everything around the code is as ever: operations come in order and one at a time, wait for locks, and
/// stand in history; signals are sent, and effects of an operation that fails are not. What is stored as the
/// state stays as it is, unless a closure with a [context](Self::on_with_context) changes it.
///
/// An operation that is not played fails, and is not retried; a client that signals it is told at once.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestHost;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Stock { pieces: u32 }
///
/// #[entity]
/// impl Stock {
///     fn take(&mut self, pieces: u32) -> Result<u32> {
///         self.pieces = self.pieces.checked_sub(pieces).ok_or_else(|| Error::msg("too few"))?;
///         Ok(self.pieces)
///     }
/// }
///
/// #[orchestrator]
/// async fn order(ctx: OrchestrationContext, pieces: u32) -> Result<u32> {
///     Ok(ctx.entity::<Stock>("screws").take(pieces).await?)
/// }
///
/// # durable_runtime::testing::run_with(TestHost::builder(), a_stock_is_never_empty);
/// # /*
/// #[durable_runtime::test]
/// # */
/// async fn a_stock_is_never_empty(host: TestHost) {
///     let stock = host.mock_entity::<Stock>().on("take", |pieces: u32| Ok(1_000 - pieces));
///     assert_eq!(host.run::<order>(400_u32).await.unwrap(), 600);
///     stock.expect_calls("take", 1);
///     assert_eq!(stock.inputs::<u32>("take"), [400]);
/// }
/// ```
#[derive(Clone)]
pub struct EntityMock {
    entity: Arc<PlayedEntity>,
    /// Knows the operations that the code has, if there is any.
    registry: Arc<Registry>,
}

/// What is played of an entity.
pub(super) struct PlayedEntity {
    /// As the test wrote it.
    name: String,
    /// By name in lower case.
    operations: Mutex<BTreeMap<String, Played<EntityContext>>>,
}

impl EntityMock {
    pub(super) fn new(registry: &Arc<Registry>, name: &str) -> Self {
        let mock = Self {
            entity: Arc::new(PlayedEntity {
                name: name.to_owned(),
                operations: Mutex::default(),
            }),
            registry: Arc::clone(registry),
        };
        let code = registry.entities().code(&name.to_lowercase());
        let has_delete = code.is_ok_and(|code| matches!(code.operation("delete"), Ok(Some(_))));
        if has_delete {
            return mock;
        }
        // As every entity has it that defines none.
        mock.on_with_context("delete", |ctx, _: IgnoredAny| {
            ctx.delete_state();
            Ok(())
        })
    }

    pub(super) fn entity(&self) -> &Arc<PlayedEntity> {
        &self.entity
    }

    /// Has `play` carry out the operation `operation` from now on. `I` is what callers give it, `()` if
    /// nothing, and `O` what they get. A call takes no time, unless the mock is told so. A panic in `play`
    /// fails the call.
    ///
    /// # Panics
    ///
    /// If the entity has code, and that has no such operation.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    #[track_caller]
    pub fn on<I: DeserializeOwned, O: Serialize>(
        self,
        operation: &str,
        mut play: impl FnMut(I) -> Result<O> + Send + 'static,
    ) -> Self {
        self.on_with_context(operation, move |_, input| play(input))
    }

    /// As [`on`](Self::on), where `play` is given the context of the operation too: it knows the key, sends
    /// signals, starts orchestrations, and reads and sets the state that clients read.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    #[track_caller]
    pub fn on_with_context<I: DeserializeOwned, O: Serialize>(
        self,
        operation: &str,
        mut play: impl FnMut(EntityContext, I) -> Result<O> + Send + 'static,
    ) -> Self {
        let name = operation.to_owned();
        self.operation(operation)
            .play(Box::new(move |context, input| {
                let id = context.entity_id();
                let input = decode_input(
                    &format_args!("operation {name:?} of entity \"{id}\""),
                    input,
                )?;
                let output =
                    play(context.clone(), input).map_err(|error| error.into_failure(None))?;
                encode_output("operation", &name, &output)
            }));
        self
    }

    /// Has the next `times` calls of an operation fail with `error`, before its closure is asked.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    #[track_caller]
    pub fn fail_first(self, operation: &str, times: u32, error: impl Into<String>) -> Self {
        self.operation(operation).fail_first(times, error.into());
        self
    }

    /// Has each call of an operation take `delay` of virtual time. Meanwhile no other operation of the entity
    /// is carried out.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    #[track_caller]
    pub fn delay(self, operation: &str, delay: Duration) -> Self {
        self.delay_between(operation, delay, delay)
    }

    /// Has each call of an operation take a time from `shortest` to `longest`, which the seed decides.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    #[track_caller]
    pub fn delay_between(self, operation: &str, shortest: Duration, longest: Duration) -> Self {
        self.operation(operation).delay_between(shortest, longest);
        self
    }

    /// How often an operation was called or signaled, runs after a crash included, and those that failed
    /// because it is not played.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[track_caller]
    pub fn calls(&self, operation: &str) -> usize {
        self.operation(operation).calls()
    }

    /// What an operation was called with, in order, of whichever key. What does not fit the type is left
    /// out.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    #[track_caller]
    pub fn inputs<I: DeserializeOwned>(&self, operation: &str) -> Vec<I> {
        self.operation(operation).inputs()
    }

    /// Checks how often an operation was called or signaled.
    ///
    /// # Panics
    ///
    /// If that is another number: with what it was called with. And as [`on`](Self::on).
    #[track_caller]
    pub fn expect_calls(&self, operation: &str, count: usize) {
        let what = format!("operation {operation:?} of entity {:?}", self.entity.name);
        self.operation(operation).expect_calls(&what, count);
    }

    /// What is played of an operation that there is.
    #[track_caller]
    fn operation(&self, operation: &str) -> Played<EntityContext> {
        let code = self
            .registry
            .entities()
            .code(&self.entity.name.to_lowercase());
        if let Ok(code) = code
            && let Err(unknown) = code.operation(operation)
        {
            panic!("{}", unknown.message());
        }
        self.entity.operation(operation)
    }
}

impl fmt::Debug for EntityMock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityMock")
            .field("name", &self.entity.name)
            .finish_non_exhaustive()
    }
}

impl PlayedEntity {
    pub(super) fn operation(&self, operation: &str) -> Played<EntityContext> {
        let operations = self.operations.lock();
        let mut operations = operations.unwrap_or_else(PoisonError::into_inner);
        let played = operations.entry(operation.to_lowercase());
        let unplayed = || {
            let message = format!(
                "a test plays entity {:?} and not its operation {operation:?}: write \
                 `.on({operation:?}, |input| ..)` on the mock",
                self.name
            );
            Failure::new(Failure::NOT_REGISTERED, message).non_retriable()
        };
        played.or_insert_with(|| Played::new(unplayed())).clone()
    }
}

/// Where the operations of all entities that are played find what they are to do.
pub(super) struct Theatre {
    pub(super) mocks: Arc<Mocks>,
    pub(super) desk: Arc<Desk>,
}

/// Carries out an operation of any entity that is played. As one that is async, it is not repeated when
/// another one of its batch fails: so it is counted once.
pub(super) const PLAY: OperationRun = OperationRun::Async(play);

fn play<'a>(
    state: &'a mut (dyn std::any::Any + Send),
    invocation: &'a OperationInvocation,
) -> BoxFuture<'a, Result<Payload, Failure>> {
    let begin = move || Ok(Box::pin(outcome(invocation)) as BoxFuture<'a, _>);
    on_document_later(
        state,
        invocation,
        begin,
        |_, _, outcome, _| outcome,
        |_| None,
    )
}

async fn outcome(invocation: &OperationInvocation) -> Result<Payload, Failure> {
    let theatre = invocation.state::<Theatre>()?;
    let context = invocation.context();
    let id: &EntityId = context.entity_id();
    let input = invocation.read(|_, input| Ok(input.clone()))?;
    let Some(entity) = theatre.mocks.find_entity(id) else {
        let message = format!("entity \"{id}\" is not played");
        return Err(Failure::new(Failure::NOT_REGISTERED, message).non_retriable());
    };
    let played = entity.operation(context.operation_name());
    let callee = format!("{id} {}", context.operation_name());
    let delay = theatre
        .desk
        .with_dice(|dice| played.note(callee, &input, dice));
    played.carry_out(delay, &context, &input).await
}
