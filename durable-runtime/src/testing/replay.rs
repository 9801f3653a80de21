//! Replaying recorded histories on the code of this program: what instances have done so far, would
//! this code do the same?

mod divergence;
mod hub;
mod recording;
mod worker;

use serde_json::Value;

pub use divergence::Divergence;
pub use hub::{DivergingInstance, ReplayReport, UnreplayedInstance, replay_hub};
use recording::Recording;
pub(crate) use worker::{Asked, Worker};
pub use worker::{ReplayAnswer, ReplayRequest};

use crate::client::ClientError;
use crate::context::core::Identity;
use crate::engine::{self, Completion, LiveExecution};
use crate::host::HostOptions;
use crate::model::{EventKind, ExecutionStarted, Failure, HistoryEvent, Payload};
use crate::registry::{Function, NameClash, Orchestrator, OrchestratorFunction, Registry};

/// A history that the code repeats.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Replay {
    /// The instance whose history it is.
    pub instance_id: String,
    /// Its orchestrator.
    pub orchestrator: String,
    /// The version of that.
    pub version: Option<String>,
    /// How often the code ran, from one wait to the next. 0 for an instance that had not begun.
    pub steps: u64,
    /// Where the code is after the last of them.
    pub ending: Ending,
}

/// Where the code is after a replay.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// It waits for what comes next, or has not begun.
    Waiting,
    /// It has returned this. That it did is compared with the history; what it returned is not.
    Returned(Value),
    /// It has failed so.
    Failed(Failure),
    /// It has continued as new with this.
    ContinuedAsNew(Value),
}

/// Why a history is not repeated, or cannot be replayed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The text is no recorded history.
    #[error(
        "line {line}, column {column}: {message}; expected is what `durable get-history ID --output json` \
         prints from storage: an object with \"instanceId\", \"name\", \"version\", \"runtimeStatus\" and \
         \"history\""
    )]
    NotRecorded {
        /// The line, from 1 on.
        line: usize,
        /// The column, from 1 on.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// The history is that of another orchestrator or version.
    #[error(
        "the history of instance {instance_id:?} is of {recorded}, not of {given}: replay it on that one, \
         or with `replay_recorded`, which finds the code by its recorded name"
    )]
    OtherCode {
        /// The instance.
        instance_id: String,
        /// The recorded orchestrator, with its version.
        recorded: String,
        /// The one that was to replay it.
        given: String,
    },
    /// This program does not have the code of the history: an instance like it would wait for a worker
    /// that does.
    #[error("the history of instance {instance_id:?} cannot be replayed: {message}")]
    NoCode {
        /// The instance.
        instance_id: String,
        /// What is missing.
        message: String,
    },
    /// Two functions of this program have one name.
    #[error(transparent)]
    NameClash(#[from] NameClash),
    /// The task hub cannot be read.
    #[error(transparent)]
    Hub(#[from] ClientError),
    /// The code does something else than the history says.
    #[error("{0}")]
    Diverges(Box<Divergence>),
}

/// Replays a recorded history on the orchestrator `O`. `json` is what `durable get-history ID --output
/// json` prints from storage; it may be of an instance that runs or that has ended.
///
/// Compared are the calls of each step, as in every replay: their kinds, order and names, the instances of
/// sub-orchestrations, the entities that are locked; and whether the code has ended. What calls were given,
/// when timers are due and what the code returned is not: see [`Ending::Returned`] for that.
///
/// Nothing is run but the orchestrator, and nothing is waited for.
///
/// ```
/// # use durable_runtime::prelude::*;
/// use durable_runtime::testing;
///
/// #[orchestrator]
/// async fn approval(ctx: OrchestrationContext) -> Result<bool> {
///     Ok(ctx.wait_for_external_event::<bool>("decided").await?)
/// }
///
/// let recorded = r#"{
///   "instanceId": "holiday-7", "name": "approval", "version": null, "runtimeStatus": "Running",
///   "history": [
///     [1795286492264600, {"ExecutionStarted": {
///       "execution": "c7bcac6bebd74a3585d592692ea12c5e", "name": "approval", "input": null}}],
///     [1795286492264630, "OrchestratorStarted"]
///   ]
/// }"#;
/// let replay = testing::replay::<approval>(recorded)?;
/// assert_eq!(replay.steps, 1);
/// # Ok::<(), testing::ReplayError>(())
/// ```
///
/// # Errors
///
/// [`ReplayError::Diverges`] with the step, what the history has and what the code did;
/// [`ReplayError::NotRecorded`], [`ReplayError::OtherCode`].
pub fn replay<O: Orchestrator>(json: &str) -> Result<Replay, ReplayError> {
    let recording = Recording::from_json(json)?;
    let started = recording.started()?;
    let given = named(O::NAME, O::VERSION);
    let recorded = named(&started.name, started.version.as_deref());
    match O::REGISTRATION.function {
        Function::Orchestrator(function) if given == recorded => {
            recording.replay_on(function, HostOptions::default().max_payload_bytes)
        }
        _ => Err(ReplayError::OtherCode {
            instance_id: recording.instance.to_string(),
            recorded,
            given,
        }),
    }
}

/// As [`replay`], on the orchestrator of this program that has the recorded name and version. With a folder
/// of recorded histories this is a test of all of them:
///
/// ```no_run
/// # fn example() -> std::io::Result<()> {
/// for file in std::fs::read_dir("histories")? {
///     let path = file?.path();
///     let recorded = std::fs::read_to_string(&path)?;
///     if let Err(error) = durable_runtime::testing::replay_recorded(&recorded) {
///         panic!("{}: {error}", path.display());
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As for [`replay`]; [`ReplayError::NoCode`] in place of [`ReplayError::OtherCode`], and
/// [`ReplayError::NameClash`].
pub fn replay_recorded(json: &str) -> Result<Replay, ReplayError> {
    let recording = Recording::from_json(json)?;
    recording.replay_by_name(
        &Registry::of_program()?,
        HostOptions::default().max_payload_bytes,
    )
}

/// An orchestrator and its version, for people.
fn named(name: &str, version: Option<&str>) -> String {
    match version.filter(|version| !version.is_empty()) {
        None => format!("orchestrator {name:?}"),
        Some(version) => format!("orchestrator {name:?} in version {version:?}"),
    }
}

/// Replays what a hub holds of an instance.
#[cfg(feature = "simulation")]
pub(crate) fn replay_stored(
    instance: crate::model::InstanceId,
    history: Vec<HistoryEvent>,
    registry: &Registry,
) -> Result<Replay, String> {
    let recording = Recording { instance, history };
    let limit = HostOptions::default().max_payload_bytes;
    let replayed = recording.replay_by_name(registry, limit);
    replayed.map_err(|error| error.to_string())
}

impl Recording {
    fn started(&self) -> Result<&ExecutionStarted, ReplayError> {
        match self.history.first().map(|event| &event.kind) {
            Some(EventKind::ExecutionStarted(started)) => Ok(started),
            _ => Err(self.no_code("its history does not begin with \"ExecutionStarted\"")),
        }
    }

    fn no_code(&self, message: impl Into<String>) -> ReplayError {
        ReplayError::NoCode {
            instance_id: self.instance.to_string(),
            message: message.into(),
        }
    }

    /// Replays it on the code of the recorded name and version. `limit` is the longest payload, in bytes.
    fn replay_by_name(self, registry: &Registry, limit: usize) -> Result<Replay, ReplayError> {
        let started = self.started()?;
        let version = started.version.as_deref();
        let found = registry.orchestrator(&started.name, version);
        let function = found.map_err(|missing| {
            let failure = missing.into_failure();
            self.no_code(failure.message())
        })?;
        self.replay_on(function, limit)
    }

    fn replay_on(
        mut self,
        function: OrchestratorFunction,
        limit: usize,
    ) -> Result<Replay, ReplayError> {
        engine::without_refused_step(&mut self.history);
        let started = self.started()?;
        let identity = Identity {
            instance: self.instance.clone(),
            execution: started.execution,
            name: started.name.clone(),
            version: started.version.clone(),
            parent: started
                .parent
                .as_ref()
                .map(|parent| parent.instance.clone()),
            // The host that took what is recorded allowed it.
            max_payload_bytes: limit.max(longest_payload(&self.history)),
        };
        let begun = self.history.first().map(|event| event.timestamp);
        let input = started.input.clone();
        let mut live = LiveExecution::begin(function, identity, input, begun.unwrap_or_default());
        match engine::replay(&mut live, &self.history) {
            Ok(replayed) => Ok(Replay {
                instance_id: self.instance.to_string(),
                orchestrator: started.name.clone(),
                version: started.version.clone(),
                steps: divergence::steps(&self.history).count() as u64,
                ending: ending(replayed.completion),
            }),
            Err(found) => {
                let divergence = Divergence::new(&self.instance, &self.history, started, *found);
                Err(ReplayError::Diverges(Box::new(divergence)))
            }
        }
    }
}

/// A length in bytes that no payload of the history is above.
fn longest_payload(history: &[HistoryEvent]) -> usize {
    let lengths = history.iter().map(|event| {
        let json = Payload::encode(event);
        json.map_or(0, |json| json.as_json().len())
    });
    lengths.max().unwrap_or_default()
}

fn ending(completion: Option<Completion>) -> Ending {
    match completion {
        None => Ending::Waiting,
        Some(Completion::Completed(output)) => Ending::Returned(output.to_value()),
        Some(Completion::Failed(failure) | Completion::NonDeterministic(failure)) => {
            Ending::Failed(failure)
        }
        Some(Completion::ContinuedAsNew { request, .. }) => {
            Ending::ContinuedAsNew(request.input.to_value())
        }
    }
}
