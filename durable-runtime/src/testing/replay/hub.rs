//! Replaying what is in a task hub.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::recording::Recording;
use super::{Divergence, ReplayError, named};
use crate::client::{ClientError, InstanceQuery, RuntimeStatus, find_hub};
use crate::engine;
use crate::host::HostOptions;
use crate::model::{HistoryRow, InstanceRecord};
use crate::registry::Registry;
use crate::storage::{HubStorage, InstancePageRequest, PageKey, StorageError, StorageProvider};

/// What has come out of the replay of many instances. Prints as a text of several lines.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReplayReport {
    /// The task hub.
    pub task_hub: String,
    /// How many instances the code goes on with: it does what their histories say.
    pub safe: u64,
    /// The instances that would fail, as the code does something else than their histories say.
    pub diverging: Vec<DivergingInstance>,
    /// The instances that could not be replayed. Those whose code is not there would wait for a worker that
    /// has it.
    pub not_replayed: Vec<UnreplayedInstance>,
}

/// An instance whose history the code does not repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DivergingInstance {
    /// Where the instance stood.
    pub runtime_status: RuntimeStatus,
    /// Where code and history part.
    #[serde(flatten)]
    pub divergence: Divergence,
}

/// An instance that could not be replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UnreplayedInstance {
    /// The instance.
    pub instance_id: String,
    /// Its orchestrator.
    pub orchestrator: String,
    /// The version of that.
    pub version: Option<String>,
    /// Where the instance stood.
    pub runtime_status: RuntimeStatus,
    /// Why it was not replayed.
    pub reason: String,
}

impl ReplayReport {
    /// Whether the code goes on with all instances.
    pub fn is_safe(&self) -> bool {
        self.diverging.is_empty() && self.not_replayed.is_empty()
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "task hub {:?}: {} safe, {} diverging, {} not replayed",
            self.task_hub,
            self.safe,
            self.diverging.len(),
            self.not_replayed.len()
        )?;
        for diverging in &self.diverging {
            write!(f, "\n{}", diverging.divergence)?;
        }
        for instance in &self.not_replayed {
            let named = named(&instance.orchestrator, instance.version.as_deref());
            let (id, reason) = (&instance.instance_id, &instance.reason);
            write!(f, "\n{named}, instance {id:?}: {reason}")?;
        }
        Ok(())
    }
}

/// Replays the instances of the task hub `task_hub` on the orchestrators of this program: whether they would
/// go on with this code. `query` says which; without a status in it, those that have not ended.
///
/// Nothing is written and no lease is taken, and a host may run the task hub meanwhile: each instance is
/// replayed as far as it had come when it was read. They are read one at a time.
///
/// ```no_run
/// # use durable_runtime::prelude::*;
/// use durable_runtime::client::InstanceQuery;
/// use durable_runtime::storage::Sqlite;
/// use durable_runtime::testing;
///
/// # async fn example() -> Result<()> {
/// let storage = Sqlite::options().existing().open("app.db")?;
/// let report = testing::replay_hub(storage, "Orders", InstanceQuery::new()).await?;
/// if !report.is_safe() {
///     eprintln!("{report}");
///     std::process::exit(1);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`ReplayError::Hub`], if there is no such task hub or it cannot be read; [`ReplayError::NameClash`].
pub async fn replay_hub(
    storage: impl StorageProvider,
    task_hub: &str,
    query: InstanceQuery,
) -> Result<ReplayReport, ReplayError> {
    let hub = HubReplay {
        storage: Arc::new(storage),
        task_hub: task_hub.to_owned(),
        query,
        registry: Registry::of_program()?,
        max_payload_bytes: HostOptions::default().max_payload_bytes,
    };
    // Orchestrators run outside of any async runtime.
    let (sender, report) = oneshot::channel();
    std::thread::spawn(move || sender.send(hub.run(&mut |_| ())));
    let report = report.await.unwrap_or_else(|_| {
        let message = "the replay has panicked".to_owned();
        Err(ClientError::Busy { message })
    });
    Ok(report?)
}

/// A replay of what is in a task hub.
pub(super) struct HubReplay {
    pub(super) storage: Arc<dyn StorageProvider>,
    pub(super) task_hub: String,
    pub(super) query: InstanceQuery,
    pub(super) registry: Registry,
    pub(super) max_payload_bytes: usize,
}

impl HubReplay {
    /// Tells `begins` of each instance before it is replayed.
    pub(super) fn run(self, begins: &mut dyn FnMut(&str)) -> Result<ReplayReport, ClientError> {
        let (name, storage) = find_hub(&*self.storage, &self.task_hub)?;
        let mut report = ReplayReport {
            task_hub: name.to_string(),
            ..ReplayReport::default()
        };
        let mut request = self.query.clone().into_request()?;
        request.with_input = false;
        if request.filter.statuses.is_empty() {
            let all = RuntimeStatus::ALL.into_iter();
            request.filter.statuses = all.filter(|status| !status.has_ended()).collect();
        }
        while let Some(page) = next_page(&*storage, &mut request)? {
            for record in page {
                begins(record.id.as_str());
                self.replay(&*storage, record, &mut report)?;
            }
        }
        Ok(report)
    }

    /// Replays one instance, which was as `record` says when it was listed.
    fn replay(
        &self,
        storage: &dyn HubStorage,
        mut record: InstanceRecord,
        report: &mut ReplayReport,
    ) -> Result<(), StorageError> {
        let outcome = match storage.load(std::slice::from_ref(&record.id)) {
            Ok(mut loaded) => {
                let Some(stored) = loaded.pop().flatten() else {
                    // It was purged meanwhile.
                    return Ok(());
                };
                record = stored.record;
                self.outcome(&record, &stored.history)
            }
            Err(StorageError::Corrupt { message, .. }) => Outcome::NotReplayed(message),
            Err(error) => return Err(error),
        };
        let runtime_status = record.status;
        match outcome {
            Outcome::Safe => report.safe += 1,
            Outcome::Diverges(divergence) => report.diverging.push(DivergingInstance {
                runtime_status,
                divergence: *divergence,
            }),
            Outcome::NotReplayed(reason) => report.not_replayed.push(UnreplayedInstance {
                instance_id: record.id.to_string(),
                orchestrator: record.name,
                version: record.version,
                runtime_status,
                reason,
            }),
        }
        Ok(())
    }

    fn outcome(&self, record: &InstanceRecord, history: &[HistoryRow]) -> Outcome {
        let history = match engine::decode_history(history) {
            Ok(history) => history,
            Err(problem) => return Outcome::NotReplayed(problem),
        };
        let instance = record.id.clone();
        let recording = Recording { instance, history };
        match recording.replay_by_name(&self.registry, self.max_payload_bytes) {
            Ok(_) => Outcome::Safe,
            Err(ReplayError::Diverges(divergence)) => Outcome::Diverges(divergence),
            Err(ReplayError::NoCode { message, .. }) => Outcome::NotReplayed(message),
            Err(error) => Outcome::NotReplayed(error.to_string()),
        }
    }
}

/// What has come out of one replay.
enum Outcome {
    Safe,
    Diverges(Box<Divergence>),
    NotReplayed(String),
}

/// The next page, if there is one; `request` is for the one after it then.
fn next_page(
    storage: &dyn HubStorage,
    request: &mut InstancePageRequest,
) -> Result<Option<Vec<InstanceRecord>>, StorageError> {
    let found = storage.list(request)?;
    let Some(last) = found.last() else {
        return Ok(None);
    };
    request.after = Some(PageKey {
        created: last.record.created,
        id: last.record.id.clone(),
    });
    Ok(Some(found.into_iter().map(|found| found.record).collect()))
}
