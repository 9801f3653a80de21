//! Hosts on storage of different kinds, and a bench from which tests steer activities.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::client::{DurableClient, OrchestrationStatus, RuntimeStatus};
use durable_runtime::host::{DurableHost, HostOptions};
use durable_runtime::model::{HistoryEvent, PartitionId, TaskHubName};
use durable_runtime::storage::{
    HubOptions, HubStorage, Memory, Sqlite, StorageError, StorageProvider,
};
use durable_runtime::testing::{TestHost, run_with};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) use crate::hosts::DAY;

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
/// How long a test may take before it counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The hub that all hosts and clients use.
const HUB: &str = "DurableHub";

/// Where the tests of rules are run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setting {
    Memory,
    /// Nothing stays in memory between episodes: everything is loaded and replayed.
    Evicting,
    SqliteFile,
}

/// Storage for one test, and the bench of its activities.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) storage: Storage,
    pub(crate) bench: Bench,
    pub(crate) options: HostOptions,
    _directory: Option<TempDir>,
}

impl Site {
    pub(crate) fn new(setting: Setting) -> Self {
        let directory = matches!(setting, Setting::SqliteFile).then(|| TempDir::new().unwrap());
        let storage = match &directory {
            Some(directory) => {
                Storage::Sqlite(Sqlite::open(directory.path().join("hub.db")).unwrap())
            }
            None => Storage::Memory(Memory::new()),
        };
        let mut options = HostOptions {
            replay_check: true,
            ..HostOptions::default()
        };
        if matches!(setting, Setting::Evicting) {
            options.max_cached_instances = 0;
            options.idle_timeout = Duration::ZERO;
        }
        Self {
            storage,
            bench: Bench::default(),
            options,
            _directory: directory,
        }
    }

    pub(crate) async fn host(&self) -> DurableHost {
        self.host_on(self.storage.clone()).await
    }

    pub(crate) async fn host_on(&self, storage: impl StorageProvider) -> DurableHost {
        DurableHost::builder()
            .task_hub(HUB)
            .storage(storage)
            .state(self.bench.clone())
            .options(self.options.clone())
            .start()
            .await
            .unwrap()
    }

    /// A client that knows no host and goes through storage.
    pub(crate) fn remote(&self) -> DurableClient {
        DurableClient::connect(self.storage.clone(), HUB).unwrap()
    }
}

/// Either provider.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    Memory(Memory),
    Sqlite(Sqlite),
}

impl StorageProvider for Storage {
    fn open_hub(
        &self,
        name: &TaskHubName,
        options: &HubOptions,
    ) -> Result<Arc<dyn HubStorage>, StorageError> {
        match self {
            Self::Memory(memory) => memory.open_hub(name, options),
            Self::Sqlite(sqlite) => sqlite.open_hub(name, options),
        }
    }

    fn find_hub(&self, name: &TaskHubName) -> Result<Option<Arc<dyn HubStorage>>, StorageError> {
        match self {
            Self::Memory(memory) => memory.find_hub(name),
            Self::Sqlite(sqlite) => sqlite.find_hub(name),
        }
    }

    fn hubs(&self) -> Result<Vec<String>, StorageError> {
        match self {
            Self::Memory(memory) => memory.hubs(),
            Self::Sqlite(sqlite) => sqlite.hubs(),
        }
    }

    fn delete_hub(&self, name: &TaskHubName) -> Result<bool, StorageError> {
        match self {
            Self::Memory(memory) => memory.delete_hub(name),
            Self::Sqlite(sqlite) => sqlite.delete_hub(name),
        }
    }
}

/// Runs a test at a fresh site, for a bounded time.
pub(crate) async fn run<F: Future<Output = ()>>(setting: Setting, test: impl FnOnce(Site) -> F) {
    bounded(test(Site::new(setting))).await;
}

/// Runs a test in virtual time: with a host that keeps everything in memory, and with one that crashes after
/// every commit.
pub(crate) fn calm_and_crashing(test: impl AsyncFn(TestHost, Bench)) {
    crate::hosts::calm_and_crashing(TestHost::builder, |host| {
        let bench = Bench::default();
        run_with(host.state(bench.clone()), async |host| {
            test(host, bench.clone()).await;
        });
    });
}

/// Fails when `test` gets stuck.
pub(crate) async fn bounded<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, test)
        .await
        .expect("the test is stuck")
}

/// Where activities report, and where they are told how to end. What an activity does is decided
/// by the key that it is called with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bench {
    board: Arc<watch::Sender<Board>>,
}

#[derive(Debug, Default)]
pub(crate) struct Board {
    calls: BTreeMap<String, u32>,
    held: BTreeSet<String>,
    broken: BTreeSet<String>,
    cancelled: BTreeSet<String>,
}

impl Bench {
    /// How often an activity was begun with `key`.
    pub(crate) fn calls(&self, key: &str) -> u32 {
        self.board.borrow().calls.get(key).copied().unwrap_or(0)
    }

    /// Waits until an activity was begun `times` times with `key`.
    pub(crate) async fn called(&self, key: &str, times: u32) {
        self.until(|board| board.calls.get(key) >= Some(&times))
            .await;
    }

    /// Activities with `key` do not end until they are let go.
    pub(crate) fn hold(&self, key: &str) {
        self.board.send_modify(|board| {
            board.held.insert(key.to_owned());
        });
    }

    pub(crate) fn let_go(&self, key: &str) {
        self.board.send_modify(|board| {
            board.held.remove(key);
        });
    }

    /// Activities with `key` fail until they are mended.
    pub(crate) fn break_(&self, key: &str) {
        self.board.send_modify(|board| {
            board.broken.insert(key.to_owned());
        });
    }

    pub(crate) fn mend(&self, key: &str) {
        self.board.send_modify(|board| {
            board.broken.remove(key);
        });
    }

    /// An activity begins with `key`.
    pub(crate) fn begin(&self, key: &str) {
        self.board.send_modify(|board| {
            *board.calls.entry(key.to_owned()).or_default() += 1;
        });
    }

    pub(crate) fn is_broken(&self, key: &str) -> bool {
        self.board.borrow().broken.contains(key)
    }

    pub(crate) async fn until_let_go(&self, key: &str) {
        self.until(|board| !board.held.contains(key)).await;
    }

    /// An activity has been told that its result is not wanted.
    pub(crate) fn note_cancelled(&self, key: &str) {
        self.board.send_modify(|board| {
            board.cancelled.insert(key.to_owned());
        });
    }

    pub(crate) fn is_cancelled(&self, key: &str) -> bool {
        self.board.borrow().cancelled.contains(key)
    }

    pub(crate) async fn until_cancelled(&self, key: &str) {
        self.until(|board| board.cancelled.contains(key)).await;
    }

    async fn until(&self, condition: impl FnMut(&Board) -> bool) {
        self.board.subscribe().wait_for(condition).await.unwrap();
    }
}

/// The time as the tests see it.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The status of an instance that exists.
pub(crate) async fn status(client: &DurableClient, id: &str) -> OrchestrationStatus {
    client.get_status(id).await.unwrap().unwrap()
}

pub(crate) async fn history(client: &DurableClient, id: &str) -> Vec<HistoryEvent> {
    let status = client.get_status(id).with_history_output().await.unwrap();
    status.unwrap().history.unwrap()
}

/// The names of the events in the history of an instance.
pub(crate) async fn event_names(client: &DurableClient, id: &str) -> Vec<&'static str> {
    let history = history(client, id).await;
    history.iter().map(|event| event.kind.name()).collect()
}

/// Waits until the history of an instance has `count` events of the name.
pub(crate) async fn until_recorded(client: &DurableClient, id: &str, name: &str, count: usize) {
    loop {
        let names = event_names(client, id).await;
        if names.iter().filter(|found| **found == name).count() >= count {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until an instance exists and stands so.
pub(crate) async fn until_status(client: &DurableClient, id: &str, wanted: RuntimeStatus) {
    loop {
        let found = client.get_status(id).await.unwrap();
        if found.is_some_and(|status| status.runtime_status == wanted) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until all that was sent to instances has been dealt with.
pub(crate) async fn until_no_message_waits(site: &Site) {
    let hub = TaskHubName::new(HUB).unwrap();
    let hub = site.storage.find_hub(&hub).unwrap().unwrap();
    let partitions: Vec<_> = (0..hub.partition_count()).map(PartitionId).collect();
    while !hub.inbox(&partitions).unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Waits until there is no instance of the id.
pub(crate) async fn until_gone(client: &DurableClient, id: &str) {
    while client.get_status(id).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}
