//! Names → functions: what `#[activity]` and `#[orchestrator]` register, and how it is found.

pub(crate) mod client_function;
pub(crate) mod code;
pub(crate) mod document;
mod entities;
pub(crate) mod entity;
#[cfg(feature = "testing")]
mod stand_in;
pub(crate) mod version;

use std::any::{TypeId, type_name};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::client_function::ClientFunction;
use self::code::{AsyncActivityCode, BlockingActivityCode, OrchestratorCode};
use crate::model::Failure;
pub(crate) use entities::{Entities, RegisteredEntity};
pub use entity::{Entity, EntityInterface};
use entity::{EntityFunction, EntityOperations};
pub(crate) use entity::{EntityState, OperationRun};
#[cfg(feature = "testing")]
pub(crate) use stand_in::Stage;
use version::{Version, VersionMismatch, VersionRules};

/// A function that an orchestration can call with
/// [`call_activity`](crate::OrchestrationContext::call_activity). Implemented by `#[activity]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activity",
    label = "not an activity",
    note = "put `#[activity]` on the function, and import it by its name"
)]
pub trait Activity: Register + 'static {
    /// The name it is registered under.
    const NAME: &'static str = Self::REGISTRATION.name;
    /// What it is given: its inputs, as a tuple when there are several, `()` when there is none.
    type Input: Serialize + DeserializeOwned + 'static;
    /// What it returns when it succeeds.
    type Output: Serialize + DeserializeOwned + 'static;
}

/// A function that can be started as an orchestration. Implemented by `#[orchestrator]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an orchestrator",
    label = "not an orchestrator",
    note = "put `#[orchestrator]` on the function, and import it by its name"
)]
pub trait Orchestrator: Register + 'static {
    /// The name it is registered under.
    const NAME: &'static str = Self::REGISTRATION.name;
    /// The version of the code, where one was given.
    const VERSION: Option<&'static str> = match Self::REGISTRATION.function {
        Function::Orchestrator(OrchestratorFunction { version, .. }) => version,
        _ => None,
    };
    /// What it is given; `()` when it takes nothing.
    type Input: Serialize + DeserializeOwned + 'static;
    /// What it returns when it succeeds.
    type Output: Serialize + DeserializeOwned + 'static;
}

/// What [`DurableHostBuilder::register`](crate::host::DurableHostBuilder::register) takes.
/// Implemented by the attribute macros.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable function",
    label = "not an activity, orchestrator, entity or client function",
    note = "put `#[activity]`, `#[orchestrator]` or `#[durable_client]` on the function, and import it by its \
            name; or `#[entity]` on an `impl` block of the type"
)]
pub trait Register {
    /// What is to be known of the function.
    const REGISTRATION: Registration;
}

/// One function, as the attribute macros describe it.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    /// The name it is called by.
    pub name: &'static str,
    /// Where it is written.
    pub location: SourceLocation,
    /// What it is.
    pub function: Function,
}

inventory::collect!(Registration);

/// Where a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLocation {
    /// `module_path!()`
    pub module: &'static str,
    /// The file, with line and column.
    pub place: &'static Location<'static>,
}

impl SourceLocation {
    /// Where this is called.
    #[track_caller]
    pub const fn here(module: &'static str) -> Self {
        Self {
            module,
            place: Location::caller(),
        }
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, place } = self;
        write!(f, "{}:{} (module {module})", place.file(), place.line())
    }
}

/// The kinds of functions.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Function {
    /// See [`Activity`].
    Activity(ActivityFunction),
    /// See [`Orchestrator`].
    Orchestrator(OrchestratorFunction),
    /// See [`Entity`].
    Entity(EntityFunction),
    /// See [`EntityInterface`]; the name is that of the entity.
    EntityOperations(EntityOperations),
    /// Made by `#[durable_client]`.
    Client(ClientFunction),
}

/// An activity, with its types erased.
#[derive(Debug, Clone, Copy)]
pub struct ActivityFunction {
    /// The states it wants injected.
    pub states: &'static [fn() -> StateKey],
    /// How to run it.
    pub run: ActivityRun,
}

/// How an activity is run.
#[derive(Debug, Clone, Copy)]
pub enum ActivityRun {
    /// An `async fn`: on the async runtime.
    Async(&'static dyn AsyncActivityCode),
    /// A plain `fn`: on the pool of blocking threads.
    Blocking(&'static dyn BlockingActivityCode),
}

/// An orchestrator, with its types erased.
#[derive(Debug, Clone, Copy)]
pub struct OrchestratorFunction {
    /// The version of the code.
    pub version: Option<&'static str>,
    /// What it runs.
    pub code: &'static dyn OrchestratorCode,
}

/// Names a type that can be injected as [`State`](crate::State).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateKey {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

impl StateKey {
    /// The key of `T`.
    pub fn of<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }
}

/// Two functions that cannot both be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {kind} name {name:?} is used twice: at {first} and at {second}; rename one of the \
     functions, or give it another name with `name = \"..\"`"
)]
pub struct NameClash {
    kind: &'static str,
    name: String,
    first: SourceLocation,
    second: SourceLocation,
}

/// All functions that a host can run.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    activities: BTreeMap<&'static str, Registration>,
    /// By name, then by version; the highest version comes last.
    orchestrators: BTreeMap<&'static str, BTreeMap<Version, Registration>>,
    entities: Entities,
    client_functions: BTreeMap<&'static str, Registration>,
    versions: VersionRules,
}

/// Why there is no code for an instance.
#[derive(Debug)]
pub(crate) enum NoCode {
    /// Its orchestrator is not registered at all.
    Unknown(Failure),
    /// Its orchestrator is registered, but not in a version that runs it.
    Version(Failure),
}

impl NoCode {
    /// The failure of a start.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Unknown(failure) | Self::Version(failure) => failure,
        }
    }
}

impl Registry {
    pub(crate) fn with_versions(versions: VersionRules) -> Self {
        Self {
            versions,
            ..Self::default()
        }
    }

    /// All functions that the attribute macros have collected in this program.
    pub(crate) fn discovered() -> impl Iterator<Item = Registration> {
        inventory::iter::<Registration>().copied()
    }

    /// All of them.
    pub(crate) fn of_program() -> Result<Self, NameClash> {
        let mut registry = Self::default();
        for registration in Self::discovered() {
            registry.add(registration)?;
        }
        Ok(registry)
    }

    /// Adds a function. One that is there already (registered by hand and collected) is fine.
    pub(crate) fn add(&mut self, registration: Registration) -> Result<(), NameClash> {
        let (kind, earlier) = match registration.function {
            Function::Entity(function) => return self.entities.add(registration, function),
            Function::EntityOperations(operations) => {
                return self.entities.add_operations(&registration, operations);
            }
            Function::Client(_) => (
                "client function",
                self.client_functions
                    .insert(registration.name, registration),
            ),
            Function::Activity(_) => (
                "activity",
                self.activities.insert(registration.name, registration),
            ),
            Function::Orchestrator(function) => (
                "orchestrator",
                self.orchestrators
                    .entry(registration.name)
                    .or_default()
                    .insert(Version::new(function.version), registration),
            ),
        };
        match earlier {
            Some(earlier) if earlier.location != registration.location => Err(NameClash {
                kind,
                name: registration.name.to_owned(),
                first: earlier.location,
                second: registration.location,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = (&Registration, ActivityFunction)> {
        self.activities
            .values()
            .filter_map(|registration| match registration.function {
                Function::Activity(function) => Some((registration, function)),
                _ => None,
            })
    }

    /// The activity `name`, or the failure of a call to it.
    pub(crate) fn activity(&self, name: &str) -> Result<ActivityFunction, Failure> {
        match self.activities.get(name).map(|found| found.function) {
            Some(Function::Activity(function)) => Ok(function),
            _ => Err(not_registered(
                "activity",
                name,
                self.activities.keys().copied(),
            )),
        }
    }

    /// The version of an instance that is started now: `wanted`, else the default of the host, else the
    /// highest there is.
    ///
    /// # Errors
    ///
    /// The failure of the start, if nothing here can run that.
    pub(crate) fn version_of_start(
        &self,
        name: &str,
        wanted: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let wanted = wanted.filter(|version| !version.is_empty());
        let version = match wanted.or(self.versions.default_version()) {
            Some(version) => Some(version),
            None => self.orchestrators.get(name).and_then(|versions| {
                let (_, highest) = versions.last_key_value()?;
                orchestrator_of(highest)?.version
            }),
        };
        self.orchestrator(name, version)
            .map_err(NoCode::into_failure)?;
        Ok(version.map(str::to_owned))
    }

    /// The code that an instance of the orchestrator `name` in `version` runs.
    pub(crate) fn orchestrator(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Result<OrchestratorFunction, NoCode> {
        let Some(versions) = self.orchestrators.get(name) else {
            let names = self.orchestrators.keys().copied();
            return Err(NoCode::Unknown(not_registered("orchestrator", name, names)));
        };
        let found = self.versions.choose(versions, version);
        if let Some(function) = found.and_then(orchestrator_of) {
            return Ok(function);
        }
        let known: Vec<_> = versions.keys().map(Version::as_str).collect();
        let is_default = version.is_some() && version == self.versions.default_version();
        let message = format!(
            "orchestrator {name:?} is not registered in version {:?}{}; registered: {}",
            version.unwrap_or("(none)"),
            if is_default {
                ", the default of the host"
            } else {
                ""
            },
            known.join(", ")
        );
        let failure = Failure::new(Failure::NOT_REGISTERED, message).non_retriable();
        Err(NoCode::Version(failure))
    }

    /// What is to become of instances for which there is no code of a version that matches.
    pub(crate) fn on_mismatch(&self) -> VersionMismatch {
        self.versions.on_mismatch
    }

    pub(crate) fn client_functions(
        &self,
    ) -> impl Iterator<Item = (&Registration, &ClientFunction)> {
        self.client_functions
            .values()
            .filter_map(|registration| match &registration.function {
                Function::Client(function) => Some((registration, function)),
                _ => None,
            })
    }

    /// Has `play` carry out the operations of the entities that `stage` plays.
    #[cfg(feature = "testing")]
    pub(crate) fn set_stage(&mut self, stage: std::sync::Arc<dyn Stage>, play: OperationRun) {
        self.entities.stand_in = Some(stand_in::StandIn::new(stage, play));
    }

    /// The entities, of which each is registered once.
    pub(crate) fn entities(&self) -> &Entities {
        &self.entities
    }
}

/// The failure of a call to a function that is not registered; names the nearest known name.
fn not_registered<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    let hint = match nearest(name, known) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => format!("; annotate {article} {kind} of this name, or register it with the host"),
    };
    Failure::new(
        Failure::NOT_REGISTERED,
        format!("{kind} {name:?} is not registered{hint}"),
    )
    .non_retriable()
}

/// The known name that is most like `name`, if one is.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    known
        .map(|known| (strsim::jaro_winkler(&wanted, &known.to_lowercase()), known))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

fn orchestrator_of(registration: &Registration) -> Option<OrchestratorFunction> {
    match registration.function {
        Function::Orchestrator(function) => Some(function),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rule 17: the failure suggests the nearest name.
    #[test]
    fn an_unknown_name_gets_the_nearest_known_one() {
        let failure = not_registered("activity", "SayHelo", ["say_hello", "send"].into_iter());
        assert!(failure.message().contains("did you mean"), "{failure}");
        assert!(failure.is_non_retriable());
        let failure = not_registered("activity", "zzz", ["say_hello"].into_iter());
        assert!(
            failure.message().contains("annotate an activity"),
            "{failure}"
        );
    }
}
