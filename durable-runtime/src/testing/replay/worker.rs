//! Programs that are asked from outside to replay what is in a task hub.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hub::{HubReplay, ReplayReport};
use crate::client::{InstanceQuery, RuntimeStatus};
use crate::host::HostError;
use crate::model::Tags;
use crate::registry::Registry;
use crate::storage::{Sqlite, StorageProvider};

/// What the environment variable [`VARIABLE`](Self::VARIABLE) holds, as JSON, to have a program replay the
/// instances of a task hub on its code.
///
/// The first host that such a program starts does not run: it replays, writes to stdout and ends the process.
/// What the program does before it starts its host is done. Each line written is a JSON object with the one
/// field `durableReplay`, a [`ReplayAnswer`]. The exit code is 0 if the code goes on with all instances, 1 if
/// not, and 2 if the replay was not possible.
///
/// ```text
/// DURABLE_REPLAY='{}' ./my-app
/// ```
///
/// replays what has not ended in the task hub and storage of the host itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ReplayRequest {
    /// The `SQLite` file of the task hub, which must exist. Without it, the storage of the host.
    pub storage: Option<PathBuf>,
    /// The task hub. Without it, that of the host.
    pub task_hub: Option<String>,
    /// Instances with any of these statuses. Without one, those that have not ended.
    pub statuses: Vec<RuntimeStatus>,
    /// Instances created at this time or later.
    pub created_from: Option<chrono::DateTime<chrono::Utc>>,
    /// Instances created at this time or earlier.
    pub created_to: Option<chrono::DateTime<chrono::Utc>>,
    /// Instances whose id starts so.
    pub id_prefix: Option<String>,
    /// Instances of this orchestrator.
    pub name: Option<String>,
    /// Instances that were started with all of these tags.
    pub tags: Tags,
}

/// What a program says that was asked with a [`ReplayRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ReplayAnswer {
    /// It is about to replay the instance of this id.
    Replaying(String),
    /// It has replayed all. Nothing follows.
    Report(ReplayReport),
    /// It cannot, for this reason. Nothing follows.
    Refused(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    durable_replay: ReplayAnswer,
}

impl ReplayRequest {
    /// The environment variable that holds the request.
    pub const VARIABLE: &str = "DURABLE_REPLAY";

    fn query(&self) -> InstanceQuery {
        let mut query = InstanceQuery::new()
            .statuses(self.statuses.iter().copied())
            .tags(self.tags.clone());
        if let Some(time) = self.created_from {
            query = query.created_from(time);
        }
        if let Some(time) = self.created_to {
            query = query.created_to(time);
        }
        if let Some(prefix) = &self.id_prefix {
            query = query.id_prefix(prefix);
        }
        if let Some(name) = &self.name {
            query = query.name(name);
        }
        query
    }
}

impl ReplayAnswer {
    /// The answer that a line of a program's output holds; `None` if it is a line of the program's own.
    pub fn from_line(line: &str) -> Option<Self> {
        let line: Line = serde_json::from_str(line).ok()?;
        Some(line.durable_replay)
    }
}

/// A host that is asked to replay.
#[derive(Debug)]
pub(crate) struct Asked(Result<ReplayRequest, String>);

/// What a host brings to a replay.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) registry: Result<Registry, HostError>,
    pub(crate) storage: Option<Arc<dyn StorageProvider>>,
    pub(crate) task_hub: String,
    pub(crate) max_payload_bytes: usize,
}

impl Asked {
    /// `None` if nobody asks.
    pub(crate) fn by_environment() -> Option<Self> {
        let asked = std::env::var_os(ReplayRequest::VARIABLE)?;
        let request = match asked.to_str() {
            None => Err("it is no UTF-8".to_owned()),
            Some(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        };
        let variable = ReplayRequest::VARIABLE;
        Some(Self(request.map_err(|problem| {
            format!("the environment variable {variable} holds no request for a replay: {problem}")
        })))
    }

    /// Replays, and ends the process: nothing of the program is to run.
    pub(crate) fn answer(self, worker: Worker) -> ! {
        // Orchestrators run outside of any async runtime.
        let replay = std::thread::spawn(move || {
            let report = self.0.and_then(|request| worker.replay(request));
            match report {
                Ok(report) => {
                    let code = i32::from(!report.is_safe());
                    tell(ReplayAnswer::Report(report));
                    code
                }
                Err(reason) => {
                    tell(ReplayAnswer::Refused(reason));
                    REFUSED
                }
            }
        });
        std::process::exit(replay.join().unwrap_or(REFUSED));
    }
}

const REFUSED: i32 = 2;

impl Worker {
    fn replay(self, request: ReplayRequest) -> Result<ReplayReport, String> {
        let query = request.query();
        let task_hub = request.task_hub.unwrap_or(self.task_hub);
        let open = |path| Sqlite::options().existing().open(path);
        let storage: Arc<dyn StorageProvider> = match (request.storage, self.storage) {
            (Some(path), _) => Arc::new(open(path).map_err(|error| error.to_string())?),
            (None, Some(storage)) => storage,
            (None, None) => {
                let path = PathBuf::from(format!("{task_hub}.db"));
                Arc::new(open(path).map_err(|error| error.to_string())?)
            }
        };
        let replay = HubReplay {
            storage,
            task_hub,
            query,
            registry: self.registry.map_err(|error| error.to_string())?,
            max_payload_bytes: self.max_payload_bytes,
        };
        let report = replay.run(&mut |id| tell(ReplayAnswer::Replaying(id.to_owned())));
        report.map_err(|error| error.to_string())
    }
}

/// Writes a line. What the program has left of a line before it is ended first.
fn tell(answer: ReplayAnswer) {
    let line = Line {
        durable_replay: answer,
    };
    let json = serde_json::to_string(&line).unwrap_or_default();
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "\n{json}").and_then(|()| stdout.flush());
    if written.is_err() {
        // Nobody reads any more.
        std::process::exit(REFUSED);
    }
}
