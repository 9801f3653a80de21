//! Entities that are functions: their state is a JSON document, of which nothing is known here.

use std::any::Any;

use futures_core::future::BoxFuture;

use super::code::{SerializeError, WriteOutput};
use super::entity::{EntityState, entity_state};
use crate::context::OperationInvocation;
use crate::model::{EntityId, Failure, Payload};

/// What the state of an entity that is a function is in memory.
type Document = Option<Payload>;

/// [`EntityFunction::begin`](super::EntityFunction::begin).
///
/// # Errors
///
/// None: every state is a document.
pub fn begin_document(_: &EntityId, saved: Option<&Payload>) -> Result<EntityState, Failure> {
    let document: Document = saved.filter(|saved| **saved != Payload::null()).cloned();
    Ok(Box::new(document))
}

/// [`EntityFunction::save`](super::EntityFunction::save).
///
/// # Errors
///
/// A failure when the state is that of another entity, which the registry rules out.
pub fn save_document(state: &(dyn Any + Send)) -> Result<Payload, Failure> {
    match state.downcast_ref::<Document>() {
        Some(document) => Ok(document.clone().unwrap_or_else(Payload::null)),
        None => Err(super::entity::other_type()),
    }
}

/// Carries out an operation of an entity that is a plain `fn`.
///
/// # Errors
///
/// The failure of the operation.
pub fn on_document<R>(
    state: &mut (dyn Any + Send),
    invocation: &OperationInvocation,
    run: impl FnOnce() -> Result<R, Failure>,
    write: WriteOutput<R>,
    details: SerializeError<R>,
) -> Result<Payload, Failure> {
    let document = entity_state::<Document>(state)?;
    invocation.lend_document(document.clone());
    let returned = run()?;
    end(document, invocation, returned, write, details)
}

/// Carries out an operation of an entity that is an `async fn`.
pub fn on_document_later<'a, R: 'a>(
    state: &'a mut (dyn Any + Send),
    invocation: &'a OperationInvocation,
    begin: impl FnOnce() -> Result<BoxFuture<'a, R>, Failure> + Send + 'a,
    write: WriteOutput<R>,
    details: SerializeError<R>,
) -> BoxFuture<'a, Result<Payload, Failure>> {
    Box::pin(async move {
        let document = entity_state::<Document>(state)?;
        invocation.lend_document(document.clone());
        let returned = begin()?.await;
        end(document, invocation, returned, write, details)
    })
}

/// Takes over what an operation made of the document, if it succeeded.
fn end<R>(
    document: &mut Document,
    invocation: &OperationInvocation,
    returned: R,
    write: WriteOutput<R>,
    details: SerializeError<R>,
) -> Result<Payload, Failure> {
    let output = invocation.output(returned, write, details)?;
    let returned = invocation.return_document(document);
    Ok(returned.unwrap_or(output))
}
