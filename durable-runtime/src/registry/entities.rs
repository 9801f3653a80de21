//! The entities of a host, by their names.

use std::collections::BTreeMap;

use super::entity::{EntityFunction, EntityOperations, Operation, OperationRun};
#[cfg(feature = "testing")]
use super::stand_in::StandIn;
use super::{NameClash, Registration, SourceLocation, StateKey, nearest, not_registered};
use crate::model::{EntityId, Failure};

/// All entities that a host has. Names are compared without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    by_name: BTreeMap<String, RegisteredEntity>,
    /// Operations of interfaces, by the names of their entities, which may not have come yet.
    operations: BTreeMap<String, Vec<(Registration, EntityOperations)>>,
    /// What is run in place of those that a test plays.
    #[cfg(feature = "testing")]
    pub(super) stand_in: Option<StandIn>,
}

/// An entity with all its operations.
#[derive(Debug)]
pub(crate) struct RegisteredEntity {
    pub(crate) registration: Registration,
    pub(crate) function: EntityFunction,
    /// By name in lower case, with where each was written.
    operations: BTreeMap<String, (Operation, SourceLocation)>,
    /// Whether it stands in for others: what is in memory may be the state of one of those.
    pub(crate) is_stand_in: bool,
}

impl Entities {
    pub(super) fn add(
        &mut self,
        registration: Registration,
        function: EntityFunction,
    ) -> Result<(), NameClash> {
        let name = registration.name.to_lowercase();
        if let Some(earlier) = self.by_name.get(&name) {
            let first = earlier.registration.location;
            return if first == registration.location {
                Ok(())
            } else {
                Err(NameClash {
                    kind: "entity",
                    name: registration.name.to_owned(),
                    first,
                    second: registration.location,
                })
            };
        }
        let mut entity = RegisteredEntity {
            registration,
            function,
            operations: BTreeMap::new(),
            is_stand_in: false,
        };
        entity.add_all(function.operations, registration.location)?;
        for (from, more) in self.operations.get(&name).into_iter().flatten() {
            entity.add_all(more.operations, from.location)?;
        }
        self.by_name.insert(name, entity);
        Ok(())
    }

    pub(super) fn add_operations(
        &mut self,
        registration: &Registration,
        operations: EntityOperations,
    ) -> Result<(), NameClash> {
        let name = registration.name.to_lowercase();
        if let Some(entity) = self.by_name.get_mut(&name) {
            entity.add_all(operations.operations, registration.location)?;
        }
        let all = self.operations.entry(name).or_default();
        if all
            .iter()
            .all(|(earlier, _)| earlier.location != registration.location)
        {
            all.push((*registration, operations));
        }
        Ok(())
    }

    /// The names of all of them and the states that they want injected.
    pub(crate) fn states(
        &self,
    ) -> impl Iterator<Item = (&Registration, &'static [fn() -> StateKey])> {
        let own = self
            .by_name
            .values()
            .map(|entity| (&entity.registration, entity.function.states));
        let interfaces = self.operations.values().flatten();
        own.chain(interfaces.map(|(registration, operations)| (registration, operations.states)))
    }

    /// What runs the operations of an entity.
    ///
    /// # Errors
    ///
    /// The failure of whatever it is asked to do.
    pub(crate) fn get(&self, id: &EntityId) -> Result<&RegisteredEntity, Failure> {
        #[cfg(feature = "testing")]
        if let Some(stand_in) = &self.stand_in
            && stand_in.stage.plays(id)
        {
            return Ok(&stand_in.entity);
        }
        self.code(id.name())
    }

    /// Looks whether an entity has an operation.
    ///
    /// # Errors
    ///
    /// The failure of the operation, if it has not.
    pub(crate) fn check_operation(&self, id: &EntityId, operation: &str) -> Result<(), Failure> {
        #[cfg(feature = "testing")]
        if let Some(stand_in) = &self.stand_in
            && stand_in.stage.plays(id)
        {
            return stand_in.stage.check(id, operation);
        }
        self.code(id.name())?.operation(operation).map(drop)
    }

    /// The code of the entity `name`, in lower case.
    ///
    /// # Errors
    ///
    /// The failure of whatever it is asked to do.
    pub(crate) fn code(&self, name: &str) -> Result<&RegisteredEntity, Failure> {
        self.by_name.get(name).ok_or_else(|| {
            let names = self.by_name.values().map(|entity| entity.registration.name);
            not_registered("entity", name, names)
        })
    }
}

impl RegisteredEntity {
    /// What is run in place of the code of others.
    #[cfg(feature = "testing")]
    pub(super) fn played(registration: Registration, function: EntityFunction) -> Self {
        Self {
            registration,
            function,
            operations: BTreeMap::new(),
            is_stand_in: true,
        }
    }

    /// Adds the operations of one block; another block of the entity must not have one of the name.
    fn add_all(
        &mut self,
        operations: &[Operation],
        location: SourceLocation,
    ) -> Result<(), NameClash> {
        for operation in operations {
            let name = operation.name.to_lowercase();
            match self.operations.insert(name, (*operation, location)) {
                Some((_, first)) if first != location => {
                    return Err(NameClash {
                        kind: "operation",
                        name: format!("{}.{}", self.registration.name, operation.name),
                        first,
                        second: location,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How to carry out the operation `name`; `None` for the `delete` that every entity has which
    /// defines none.
    ///
    /// # Errors
    ///
    /// The failure of an operation that it does not have, which names the nearest that it has.
    pub(crate) fn operation(&self, name: &str) -> Result<Option<OperationRun>, Failure> {
        if let Some((operation, _)) = self.operations.get(&name.to_lowercase()) {
            return Ok(Some(operation.run));
        }
        if let Some(run) = self.function.other {
            return Ok(Some(run));
        }
        if name.eq_ignore_ascii_case("delete") {
            return Ok(None);
        }
        let known = || self.operations.values().map(|(known, _)| known.name);
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("it has {}", known().collect::<Vec<_>>().join(", ")),
        };
        let message = format!(
            "entity {:?} has no operation {name:?}; {hint}",
            self.registration.name
        );
        Err(Failure::new(Failure::NOT_REGISTERED, message).non_retriable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;
    use crate::registry::{Function, Registry};

    const ADD: &[Operation] = &[Operation {
        name: "add",
        run: OperationRun::Sync(|_, _| Ok(Payload::null())),
    }];

    fn registration(function: Function, module: &'static str) -> Registration {
        Registration {
            name: "Counter",
            location: SourceLocation::here(module),
            function,
        }
    }

    fn entity(operations: &'static [Operation]) -> Function {
        Function::Entity(EntityFunction {
            states: &[],
            begin: |_, _| Ok(Box::new(())),
            save: |_| Ok(Payload::null()),
            operations,
            other: None,
        })
    }

    fn interface() -> Function {
        Function::EntityOperations(EntityOperations {
            states: &[],
            operations: ADD,
        })
    }

    /// Whichever comes first.
    #[test]
    fn two_blocks_of_an_entity_must_not_have_an_operation_of_one_name() {
        let own = registration(entity(ADD), "one");
        let of_interface = registration(interface(), "two");
        for order in [[own, of_interface], [of_interface, own]] {
            let mut registry = Registry::default();
            registry.add(order[0]).unwrap();
            let clash = registry.add(order[1]).unwrap_err().to_string();
            assert!(clash.contains("\"Counter.add\" is used twice"), "{clash}");
        }
    }

    #[test]
    fn what_is_registered_twice_is_there_once() {
        let mut registry = Registry::default();
        let own = registration(entity(&[]), "one");
        let of_interface = registration(interface(), "two");
        for registration in [own, of_interface, own, of_interface] {
            registry.add(registration).unwrap();
        }
        let counter = registry.entities().code("counter").unwrap();
        assert!(counter.operation("ADD").unwrap().is_some());
        let other = registry
            .add(registration(entity(&[]), "three"))
            .unwrap_err();
        assert!(
            other.to_string().contains("the entity name \"Counter\""),
            "{other}"
        );
    }
}
