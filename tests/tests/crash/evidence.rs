//! What is left when all has ended: statuses and histories, the journal of the activities, and what
//! was acknowledged.

use std::collections::{BTreeMap, HashMap, HashSet};

use durable_runtime::client::{InstanceQuery, OrchestrationStatus, RuntimeStatus};
use durable_runtime::model::{EventKind, HistoryEvent, TaskId};
use durable_runtime::prelude::DurableClient;
use futures_util::TryStreamExt;
use serde::Deserialize;
use uuid::Uuid;

use crate::process::Site;

/// What an orchestration of the program returns.
#[derive(Debug, Deserialize)]
struct Outcome {
    value: u64,
    receipts: Vec<Receipt>,
}

/// What one run of an activity of the program returns.
#[derive(Debug, Deserialize)]
struct Receipt {
    instance: String,
    task: u64,
    nonce: Uuid,
}

/// How many sorts of orchestrations the program starts.
const SORTS: usize = 11;

/// How the processes call themselves that start instances.
pub(crate) const NAMES: [&str; 2] = ["a", "b"];

/// A run of an activity.
type Run = (String, u64, Uuid);

pub(crate) struct Evidence {
    instances: BTreeMap<String, OrchestrationStatus>,
    runs: HashSet<Run>,
    /// Ids of starts that were acknowledged.
    acknowledged: Vec<String>,
}

impl Evidence {
    pub(crate) async fn gather(site: &Site, client: &DurableClient) -> Self {
        let query = InstanceQuery::new().page_size(1000).without_input();
        let listed: Vec<_> = client
            .list_instances(query)
            .stream()
            .try_collect()
            .await
            .unwrap();
        let mut instances = BTreeMap::new();
        for status in listed {
            let id = status.instance_id;
            let status = client.get_status(&id).with_history_output().await.unwrap();
            instances.insert(id, status.unwrap());
        }
        let acknowledged: Vec<_> = NAMES
            .iter()
            .flat_map(|name| site.lines(&format!("acknowledged-{name}")))
            .collect();
        let started = |line: &String| Some(line.strip_prefix("started ")?.to_owned());
        Self {
            instances,
            runs: site.lines("journal").iter().map(|line| run(line)).collect(),
            acknowledged: acknowledged.iter().filter_map(started).collect(),
        }
    }

    /// What the instances of each kind have returned, which is the same for all of a kind.
    pub(crate) fn values(&self) -> BTreeMap<String, u64> {
        let mut values = BTreeMap::new();
        for id in &self.acknowledged {
            let kind = orchestrator_of(id);
            let value = outcome(&self.instances[id]).value;
            assert_eq!(
                *values.entry(kind.to_owned()).or_insert(value),
                value,
                "{id}"
            );
        }
        assert_eq!(values.len(), SORTS, "{values:?}");
        values
    }

    pub(crate) fn check(&self, expected: &BTreeMap<String, u64>, outside: &[String]) {
        let mut taken = HashSet::new();
        for id in self.acknowledged.iter().chain(outside) {
            let Some(status) = self.instances.get(id) else {
                panic!("{id} was acknowledged and is not there");
            };
            let outcome = outcome(status);
            let kind = orchestrator_of(id);
            assert_eq!(outcome.value, expected[kind], "the output of {id}");
            for receipt in outcome.receipts {
                let run = run_of(&receipt);
                assert!(
                    self.runs.contains(&run),
                    "{id} has a result of no run: {run:?}"
                );
                assert!(
                    taken.insert(run),
                    "{id} has taken a result twice: {receipt:?}"
                );
            }
        }
        for (id, status) in &self.instances {
            // Also those that others have started.
            outcome(status);
            self.check_history(id, status.history.as_deref().unwrap());
        }
    }

    /// Each call of the last execution has exactly one result, which is that of one of its runs.
    fn check_history(&self, id: &str, history: &[HistoryEvent]) {
        let mut calls: HashMap<TaskId, Vec<&EventKind>> = HashMap::new();
        for event in history {
            match &event.kind {
                EventKind::TaskScheduled { id: task, .. }
                | EventKind::EntityCalled { id: task, .. }
                | EventKind::LockRequested { id: task, .. }
                | EventKind::SubOrchestrationCreated { id: task, .. } => {
                    let other = calls.insert(*task, Vec::new());
                    assert!(other.is_none(), "{id} has made call {task} twice");
                }
                EventKind::TaskCompleted { id: task, .. }
                | EventKind::TaskFailed { id: task, .. }
                | EventKind::EntityCompleted { id: task, .. }
                | EventKind::EntityFailed { id: task, .. }
                | EventKind::LockGranted { id: task }
                | EventKind::LockFailed { id: task, .. }
                | EventKind::SubOrchestrationCompleted { id: task, .. }
                | EventKind::SubOrchestrationFailed { id: task, .. } => {
                    let call = calls.get_mut(task);
                    call.unwrap_or_else(|| panic!("{id}: a result of no call: {event:?}"))
                        .push(&event.kind);
                }
                _ => {}
            }
        }
        for (task, results) in calls {
            let [result] = results[..] else {
                panic!("{id}: call {task} has {} results", results.len());
            };
            match result {
                EventKind::TaskCompleted { result, .. } => {
                    let receipt: Receipt = result.decode().unwrap();
                    assert_eq!((receipt.instance.as_str(), receipt.task), (id, task.0));
                    assert!(self.runs.contains(&run_of(&receipt)), "{id}: {receipt:?}");
                }
                EventKind::TaskFailed { .. } => {
                    let ran = self
                        .runs
                        .iter()
                        .any(|(of, number, _)| of == id && *number == task.0);
                    assert!(ran, "{id}: call {task} failed without having run");
                }
                _ => {}
            }
        }
    }

    /// How many signals the instances have sent to the entity `total`, and that to `mirror`.
    pub(crate) fn signals(&self) -> u64 {
        let histories = self
            .instances
            .values()
            .filter_map(|status| status.history.as_ref());
        let events = histories.flatten();
        let signals = events.filter(|event| matches!(event.kind, EventKind::EntitySignaled { .. }));
        u64::try_from(signals.count()).unwrap()
    }

    /// How often money was put into an account, or taken from it.
    pub(crate) fn postings(&self) -> u64 {
        let transfers = self
            .acknowledged
            .iter()
            .filter(|id| orchestrator_of(id) == "transfers");
        6 * u64::try_from(transfers.count()).unwrap()
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} instances, {} starts acknowledged in the program, {} runs of activities",
            self.instances.len(),
            self.acknowledged.len(),
            self.runs.len()
        )
    }
}

fn outcome(status: &OrchestrationStatus) -> Outcome {
    let id = &status.instance_id;
    assert_eq!(
        status.runtime_status,
        RuntimeStatus::Completed,
        "{id}: {status:?}"
    );
    status.output_as().unwrap()
}

/// The ids of the program begin with it.
fn orchestrator_of(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// Reads a line of the journal.
fn run(line: &str) -> Run {
    let mut parts = line.rsplitn(3, '/');
    let mut next = || {
        parts
            .next()
            .unwrap_or_else(|| panic!("a torn line: {line:?}"))
    };
    let nonce = next().parse().unwrap();
    let task = next().parse().unwrap();
    (next().to_owned(), task, nonce)
}

fn run_of(receipt: &Receipt) -> Run {
    (receipt.instance.clone(), receipt.task, receipt.nonce)
}
