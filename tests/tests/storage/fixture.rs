//! Places to store in, and things to store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use durable_runtime::model::{
    Command, Delta, EntityCaller, EntityId, EntityOperation, EntityRecord, EntitySection, Envelope,
    ExecutionId, HistoryRow, InstanceDelta, InstanceId, InstanceRecord, MessageId, MessageOrigin,
    OutgoingMessage, PartitionId, Payload, RequestId, RuntimeStatus, Tags, TaskHubName, TaskId,
    WorkerId,
};
use durable_runtime::storage::{
    HubOptions, HubStorage, InstanceFilter, InstancePageRequest, Lease, Memory, Sqlite,
    StorageProvider,
};
use tempfile::TempDir;
use uuid::Uuid;

/// The partitions of a hub under test.
pub(crate) const PARTITIONS: u32 = 4;

/// Longer than any test runs.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// Shorter than anyone would wait.
pub(crate) const SHORT: Duration = Duration::from_millis(20);

/// A place to store in.
pub(crate) struct Site {
    /// Opens it as another process would, as far as the provider can have several.
    open: Box<dyn Fn() -> Arc<dyn StorageProvider> + Sync>,
    // Kept so that something of the place stays open.
    first: Arc<dyn StorageProvider>,
    _directory: Option<TempDir>,
}

impl Site {
    pub(crate) fn memory() -> Self {
        let memory = Memory::new();
        Self::new(move || Arc::new(memory.clone()), None)
    }

    pub(crate) fn sqlite_file() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("hub.db");
        let open = move || Arc::new(Sqlite::open(&path).unwrap()) as Arc<dyn StorageProvider>;
        Self::new(open, Some(directory))
    }

    pub(crate) fn sqlite_memory() -> Self {
        let sqlite = Sqlite::in_memory().unwrap();
        Self::new(move || Arc::new(sqlite.clone()), None)
    }

    fn new(
        open: impl Fn() -> Arc<dyn StorageProvider> + Sync + 'static,
        directory: Option<TempDir>,
    ) -> Self {
        Self {
            first: open(),
            open: Box::new(open),
            _directory: directory,
        }
    }

    pub(crate) fn provider(&self) -> &dyn StorageProvider {
        &*self.first
    }

    /// The provider as another process has it.
    pub(crate) fn elsewhere(&self) -> Arc<dyn StorageProvider> {
        (self.open)()
    }

    pub(crate) fn hub(&self) -> Arc<dyn HubStorage> {
        open(self.provider(), "hub")
    }

    /// The hub as another process has it.
    pub(crate) fn hub_elsewhere(&self) -> Arc<dyn HubStorage> {
        open(&*self.elsewhere(), "hub")
    }

    /// The hub, with a worker that owns all its partitions.
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.hub(), "worker")
    }
}

pub(crate) fn open(provider: &dyn StorageProvider, name: &str) -> Arc<dyn HubStorage> {
    let options = HubOptions {
        partition_count: PARTITIONS,
    };
    provider.open_hub(&hub_name(name), &options).unwrap()
}

pub(crate) fn hub_name(name: &str) -> TaskHubName {
    TaskHubName::new(name).unwrap()
}

/// A worker that owns partitions of a hub.
pub(crate) struct Owner {
    pub(crate) hub: Arc<dyn HubStorage>,
    pub(crate) worker: WorkerId,
    pub(crate) leases: Vec<Lease>,
}

impl Owner {
    /// Takes what is free.
    pub(crate) fn new(hub: Arc<dyn HubStorage>, worker: &str) -> Self {
        let worker = WorkerId(worker.into());
        let leases = hub.acquire(&worker, LONG, usize::MAX).unwrap();
        Self {
            hub,
            worker,
            leases,
        }
    }

    /// An empty delta of a partition.
    pub(crate) fn delta(&self, partition: PartitionId) -> Delta {
        let lease = self.leases.iter().find(|l| l.partition == partition);
        Delta::new(partition, lease.unwrap().epoch)
    }

    /// An empty delta of the partition of an instance.
    pub(crate) fn delta_of(&self, id: &InstanceId) -> Delta {
        self.delta(id.partition(self.hub.partition_count()))
    }

    pub(crate) fn commit(&self, delta: Delta) {
        self.hub.commit(&[delta]).unwrap();
    }

    /// Commits one change.
    pub(crate) fn change(&self, change: InstanceDelta) {
        let mut delta = self.delta_of(change.id());
        delta.change(change);
        self.commit(delta);
    }

    /// Stores instances without history.
    pub(crate) fn store(&self, records: impl IntoIterator<Item = InstanceRecord>) {
        for record in records {
            self.change(upsert(&record, []));
        }
    }

    /// What is stored of an instance, history as pairs.
    pub(crate) fn history(&self, id: &InstanceId) -> Vec<(u64, String)> {
        let stored = self.hub.load(std::slice::from_ref(id)).unwrap().remove(0);
        let rows = stored.unwrap().history.into_iter();
        rows.map(|row| (row.sequence, row.events)).collect()
    }

    pub(crate) fn record(&self, id: &InstanceId) -> Option<InstanceRecord> {
        let stored = self.hub.load(std::slice::from_ref(id)).unwrap().remove(0);
        stored.map(|stored| stored.record)
    }
}

pub(crate) fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

pub(crate) fn id(text: impl AsRef<str>) -> InstanceId {
    InstanceId::new(text).unwrap()
}

/// An id that belongs to `partition`.
pub(crate) fn id_in(partition: u32, stem: &str) -> InstanceId {
    (0..10_000)
        .map(|n| id(format!("{stem}-{n}")))
        .find(|id| id.partition(PARTITIONS) == PartitionId(partition))
        .unwrap()
}

/// The id under which messages reach an entity. `InstanceId::new` refuses those, so it is read from text.
pub(crate) fn entity_id(name: &str, key: &str) -> InstanceId {
    let text = EntityId::new(name, key).to_string();
    serde_json::from_value(text.into()).unwrap()
}

/// An entity's id that belongs to `partition`.
pub(crate) fn entity_in(partition: u32, stem: &str) -> InstanceId {
    (0..10_000)
        .map(|n| entity_id("counter", &format!("{stem}-{n}")))
        .find(|id| id.partition(PARTITIONS) == PartitionId(partition))
        .unwrap()
}

/// A time, in microseconds after a fixed one.
pub(crate) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
}

pub(crate) fn record(id: &InstanceId) -> InstanceRecord {
    InstanceRecord {
        id: id.clone(),
        execution: ExecutionId(Uuid::from_u128(7)),
        name: "orchestrator".into(),
        version: None,
        status: RuntimeStatus::Running,
        created: time(0),
        updated: time(1),
        due: None,
        custom_status: None,
        output: None,
        parent: None,
        tags: Tags::new(),
    }
}

pub(crate) fn tags<const N: usize>(pairs: [(&str, &str); N]) -> Tags {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

pub(crate) fn row(sequence: u64, events: &str) -> HistoryRow {
    HistoryRow {
        sequence,
        events: events.into(),
    }
}

pub(crate) fn upsert<const N: usize>(
    record: &InstanceRecord,
    append: [HistoryRow; N],
) -> InstanceDelta {
    InstanceDelta::Upsert {
        record: Box::new(record.clone()),
        reset_history: false,
        append: append.into(),
    }
}

/// A step that changes nothing of the row but the time.
pub(crate) fn append<const N: usize>(
    id: &InstanceId,
    updated: DateTime<Utc>,
    append: [HistoryRow; N],
) -> InstanceDelta {
    InstanceDelta::Append {
        id: id.clone(),
        updated,
        append: append.into(),
    }
}

/// As [`upsert`], in place of all history before.
pub(crate) fn replace<const N: usize>(
    record: &InstanceRecord,
    append: [HistoryRow; N],
) -> InstanceDelta {
    InstanceDelta::Upsert {
        record: Box::new(record.clone()),
        reset_history: true,
        append: append.into(),
    }
}

/// An entity with a state, for which nothing waits.
pub(crate) fn entity(id: &InstanceId) -> EntityRecord {
    EntityRecord {
        id: id.clone(),
        state: Some(Payload::encode(&1).unwrap()),
        last_operation: time(0),
        due: None,
        lock: None,
        queue: Vec::new(),
    }
}

/// What an entity is locked for.
pub(crate) fn section() -> EntitySection {
    EntitySection {
        holder: EntityCaller {
            instance: id("Hölder \"one\""),
            execution: ExecutionId(Uuid::from_u128(u128::MAX - 6)),
            task: TaskId(8),
        },
        run: ExecutionId(Uuid::from_u128(u128::MAX - 7)),
    }
}

/// As [`upsert`], of an entity.
pub(crate) fn put(record: &EntityRecord) -> InstanceDelta {
    InstanceDelta::Entity {
        record: Box::new(record.clone()),
    }
}

/// An operation that nobody waits for.
pub(crate) fn signal(name: &str) -> EntityOperation {
    EntityOperation {
        name: name.into(),
        input: Payload::null(),
        caller: None,
        at: None,
    }
}

pub(crate) fn event(to: &InstanceId, name: &str) -> Envelope {
    Envelope {
        to: to.clone(),
        command: Command::RaiseEvent {
            name: name.into(),
            data: Payload::null(),
        },
        request: None,
    }
}

/// A message of `from` to an instance.
pub(crate) fn message(from: u32, number: u64, envelope: Envelope) -> OutgoingMessage {
    OutgoingMessage {
        to: envelope.to.partition(PARTITIONS),
        id: MessageId {
            origin: MessageOrigin::Partition(PartitionId(from)),
            number,
        },
        envelope,
    }
}

/// The names of the events that wait in the inbox of the partition of `id`.
pub(crate) fn waiting(hub: &dyn HubStorage, id: &InstanceId) -> Vec<String> {
    let messages = hub.inbox(&[id.partition(PARTITIONS)]).unwrap().into_iter();
    messages
        .map(|message| match message.envelope.command {
            Command::RaiseEvent { name, .. } => name,
            other => panic!("{other:?}"),
        })
        .collect()
}

pub(crate) fn request() -> RequestId {
    RequestId(Uuid::new_v4())
}

/// A page of everything.
pub(crate) fn page(size: usize) -> InstancePageRequest {
    InstancePageRequest {
        filter: InstanceFilter::default(),
        size,
        after: None,
        with_input: false,
    }
}

/// Waits until `attempt` gives something.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::yield_now();
    }
}
