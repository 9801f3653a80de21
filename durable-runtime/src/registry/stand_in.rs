//! Entities of which a test plays the code.

use std::fmt;
use std::sync::Arc;

use super::document::{begin_document, save_document};
use super::entities::RegisteredEntity;
use super::entity::{EntityFunction, OperationRun};
use super::{Function, Registration, SourceLocation};
use crate::model::{EntityId, Failure};

/// Knows which entities are played.
pub(crate) trait Stage: fmt::Debug + Send + Sync {
    /// Whether the code of an entity is played.
    fn plays(&self, id: &EntityId) -> bool;

    /// Looks whether an operation of an entity that is played is.
    ///
    /// # Errors
    ///
    /// The failure of the operation, if it is not.
    fn check(&self, id: &EntityId, operation: &str) -> Result<(), Failure>;
}

/// What is run in place of the code of all entities that are played. Their state is a document, so that
/// what the code has stored is kept as it is.
#[derive(Debug)]
pub(super) struct StandIn {
    pub(super) stage: Arc<dyn Stage>,
    pub(super) entity: RegisteredEntity,
}

impl StandIn {
    /// `play` carries out all operations.
    pub(super) fn new(stage: Arc<dyn Stage>, play: OperationRun) -> Self {
        let function = EntityFunction {
            states: &[],
            begin: begin_document,
            save: save_document,
            operations: &[],
            other: Some(play),
        };
        let registration = Registration {
            name: "(played)",
            location: SourceLocation::here(module_path!()),
            function: Function::Entity(function),
        };
        Self {
            stage,
            entity: RegisteredEntity::played(registration, function),
        }
    }
}
