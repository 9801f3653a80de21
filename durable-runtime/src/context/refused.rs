//! Calls of entities where there is nobody to wait for the answer: they do not compile, and the compiler
//! says what to write.

use super::EntityContext;
use crate::client::DurableClient;
use crate::registry::Entity;

/// What a client would need to call entities. Nothing implements it.
#[diagnostic::on_unimplemented(
    message = "a client cannot wait for an entity: signal it, or call it from an orchestrator",
    label = "a client has no calls of entities",
    note = "a signal goes one way: `client.signal::<{Self}>(key)`",
    note = "an orchestrator calls it with `ctx.entity::<{Self}>(key)`; to look at its state use \
            `client.read_entity_state`"
)]
pub trait CalledByClients {}

/// What an entity would need to call entities. Nothing implements it.
#[diagnostic::on_unimplemented(
    message = "an entity cannot wait for another one: signal it, or call it from an orchestrator",
    label = "an entity has no calls of entities",
    note = "a signal goes one way: `ctx.signal::<{Self}>(key)`",
    note = "an orchestrator, which `ctx.start_new` starts, calls it with \
            `ctx.entity::<{Self}>(key)`"
)]
pub trait CalledByEntities {}

impl DurableClient {
    /// Does not compile: a client signals entities, and orchestrators call them.
    #[doc(hidden)]
    pub fn entity<E: Entity + CalledByClients>(&self, _: impl Into<String>) -> E::Calls {
        unreachable!("nothing is called by clients")
    }
}

impl EntityContext {
    /// Does not compile: an entity signals entities, and orchestrators call them.
    #[doc(hidden)]
    pub fn entity<E: Entity + CalledByEntities>(&self, _: impl Into<String>) -> E::Calls {
        unreachable!("nothing is called by entities")
    }
}
