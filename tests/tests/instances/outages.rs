//! Storage that fails for a while.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::client::{ClientError, OnExisting, OrchestrationRun, RuntimeStatus};
use durable_runtime::model::{
    Delta, Due, EntityRecord, Envelope, Epoch, InboxMessage, InstanceId, PartitionId, Payload,
    QueueName, Rejection, Reply, RequestId, StoredInstance, TaskHubName, WorkerId,
};
use durable_runtime::prelude::*;
use durable_runtime::storage::{
    EntityPageRequest, HubOptions, HubStorage, InstancePageRequest, InstanceSummary, Lease, Memory,
    QueueMessage, Schedule, ScheduleClaim, ScheduleTurn, Settlement, StorageError, StorageProvider,
    TakeMessages, TakenMessages, Watch,
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::functions::{chain, greet};
use crate::support::{Bench, Setting, Site, Storage, now, run, until_recorded, until_status};

const LONG: Duration = Duration::from_secs(3600);

/// Memory that can be made to fail.
#[derive(Debug, Clone)]
struct Failing {
    memory: Memory,
    outage: Arc<watch::Sender<Outage>>,
}

#[derive(Debug, Default)]
struct Outage {
    is_on: bool,
    is_fenced: bool,
    /// One of so many commits finds one of its partitions taken over.
    fence_every: Option<u32>,
    commits: u32,
    refused: u32,
}

impl Failing {
    fn new() -> Self {
        Self {
            memory: Memory::new(),
            outage: Arc::default(),
        }
    }

    fn fail(&self, is_on: bool) {
        self.outage.send_modify(|outage| {
            outage.is_on = is_on;
            outage.refused = 0;
        });
    }

    /// From now on somebody else owns all partitions, as far as commits tell.
    fn fence(&self) {
        self.outage.send_modify(|outage| outage.is_fenced = true);
    }

    /// From now on somebody takes a partition over now and then, as far as commits tell.
    fn fence_one_in(&self, commits: u32) {
        self.outage
            .send_modify(|outage| outage.fence_every = Some(commits));
    }

    /// Waits until so many calls have failed.
    async fn refused(&self, times: u32) {
        let mut outage = self.outage.subscribe();
        let enough = outage.wait_for(|outage| outage.refused >= times);
        enough.await.unwrap();
    }
}

impl StorageProvider for Failing {
    fn open_hub(
        &self,
        name: &TaskHubName,
        options: &HubOptions,
    ) -> Result<Arc<dyn HubStorage>, StorageError> {
        Ok(Arc::new(FailingHub {
            hub: self.memory.open_hub(name, options)?,
            outage: Arc::clone(&self.outage),
        }))
    }

    fn find_hub(&self, name: &TaskHubName) -> Result<Option<Arc<dyn HubStorage>>, StorageError> {
        let found = self.memory.find_hub(name)?;
        Ok(found.map(|hub| {
            let outage = Arc::clone(&self.outage);
            Arc::new(FailingHub { hub, outage }) as Arc<dyn HubStorage>
        }))
    }

    fn hubs(&self) -> Result<Vec<String>, StorageError> {
        self.memory.hubs()
    }

    fn delete_hub(&self, name: &TaskHubName) -> Result<bool, StorageError> {
        self.memory.delete_hub(name)
    }
}

#[derive(Debug)]
struct FailingHub {
    hub: Arc<dyn HubStorage>,
    outage: Arc<watch::Sender<Outage>>,
}

impl FailingHub {
    fn check(&self) -> Result<(), StorageError> {
        let refused = self.outage.send_if_modified(|outage| {
            outage.refused += u32::from(outage.is_on);
            outage.is_on
        });
        if refused {
            return Err(StorageError::Unavailable {
                message: "the disk is full".to_owned(),
            });
        }
        Ok(())
    }
}

impl HubStorage for FailingHub {
    fn partition_count(&self) -> u32 {
        self.hub.partition_count()
    }

    fn acquire(
        &self,
        worker: &WorkerId,
        duration: Duration,
        at_most: usize,
    ) -> Result<Vec<Lease>, StorageError> {
        self.hub.acquire(worker, duration, at_most)
    }

    fn renew(
        &self,
        worker: &WorkerId,
        duration: Duration,
    ) -> Result<Vec<(PartitionId, Epoch)>, StorageError> {
        self.hub.renew(worker, duration)
    }

    fn release(&self, worker: &WorkerId) -> Result<(), StorageError> {
        self.hub.release(worker)
    }

    fn is_owned(&self, partition: PartitionId) -> Result<bool, StorageError> {
        self.hub.is_owned(partition)
    }

    fn due_instances(
        &self,
        partition: PartitionId,
    ) -> Result<Vec<(InstanceId, Due)>, StorageError> {
        self.hub.due_instances(partition)
    }

    fn load(&self, ids: &[InstanceId]) -> Result<Vec<Option<StoredInstance>>, StorageError> {
        self.check()?;
        self.hub.load(ids)
    }

    fn commit(&self, deltas: &[Delta]) -> Result<(), StorageError> {
        self.check()?;
        if self.outage.borrow().is_fenced {
            let partitions = deltas.iter().map(|delta| delta.partition).collect();
            return Err(StorageError::Fenced { partitions });
        }
        let mut lost = None;
        self.outage.send_if_modified(|outage| {
            outage.commits += 1;
            let commits = usize::try_from(outage.commits).unwrap();
            if let Some(every) = outage.fence_every
                && outage.commits.is_multiple_of(every)
            {
                outage.refused += 1;
                lost = Some(deltas[commits % deltas.len()].partition);
            }
            lost.is_some()
        });
        if let Some(lost) = lost {
            let partitions = vec![lost];
            return Err(StorageError::Fenced { partitions });
        }
        self.hub.commit(deltas)
    }

    fn enqueue(&self, envelopes: &[Envelope]) -> Result<(), StorageError> {
        self.check()?;
        self.hub.enqueue(envelopes)
    }

    fn inbox(&self, partitions: &[PartitionId]) -> Result<Vec<InboxMessage>, StorageError> {
        self.hub.inbox(partitions)
    }

    fn take_reply(
        &self,
        request: RequestId,
    ) -> Result<Option<Result<Reply, Rejection>>, StorageError> {
        self.hub.take_reply(request)
    }

    fn watch(&self) -> Result<Box<dyn Watch>, StorageError> {
        self.hub.watch()
    }

    fn summary(
        &self,
        id: &InstanceId,
        with_input: bool,
    ) -> Result<Option<InstanceSummary>, StorageError> {
        self.hub.summary(id, with_input)
    }

    fn list(&self, request: &InstancePageRequest) -> Result<Vec<InstanceSummary>, StorageError> {
        self.hub.list(request)
    }

    fn entities(&self, ids: &[InstanceId]) -> Result<Vec<Option<EntityRecord>>, StorageError> {
        self.check()?;
        self.hub.entities(ids)
    }

    fn list_entities(
        &self,
        request: &EntityPageRequest,
    ) -> Result<Vec<EntityRecord>, StorageError> {
        self.hub.list_entities(request)
    }

    fn children(&self, parent: &InstanceId) -> Result<Vec<InstanceId>, StorageError> {
        self.hub.children(parent)
    }

    fn push_messages(&self, queue: &QueueName, messages: &[Payload]) -> Result<(), StorageError> {
        self.check()?;
        self.hub.push_messages(queue, messages)
    }

    fn take_messages(&self, request: &TakeMessages<'_>) -> Result<TakenMessages, StorageError> {
        self.check()?;
        self.hub.take_messages(request)
    }

    fn settle_messages(
        &self,
        worker: &WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<bool>, StorageError> {
        self.check()?;
        self.hub.settle_messages(worker, settlements)
    }

    fn queue_length(&self, queue: &QueueName) -> Result<u64, StorageError> {
        self.check()?;
        self.hub.queue_length(queue)
    }

    fn peek_messages(
        &self,
        queue: &QueueName,
        at_most: usize,
    ) -> Result<Vec<QueueMessage>, StorageError> {
        self.check()?;
        self.hub.peek_messages(queue, at_most)
    }

    fn move_messages(&self, from: &QueueName, to: &QueueName) -> Result<u64, StorageError> {
        self.check()?;
        self.hub.move_messages(from, to)
    }

    fn open_schedule(
        &self,
        name: &str,
        cron: &str,
        now: DateTime<Utc>,
    ) -> Result<Schedule, StorageError> {
        self.check()?;
        self.hub.open_schedule(name, cron, now)
    }

    fn take_schedule(
        &self,
        claim: &ScheduleClaim<'_>,
        lease: Duration,
    ) -> Result<ScheduleTurn, StorageError> {
        self.check()?;
        self.hub.take_schedule(claim, lease)
    }

    fn settle_schedule(&self, claim: &ScheduleClaim<'_>, done: bool) -> Result<bool, StorageError> {
        self.check()?;
        self.hub.settle_schedule(claim, done)
    }

    fn renew_triggers(&self, worker: &WorkerId, lease: Duration) -> Result<(), StorageError> {
        self.check()?;
        self.hub.renew_triggers(worker, lease)
    }

    fn setting(&self, name: &str, default: &str) -> Result<String, StorageError> {
        self.hub.setting(name, default)
    }
}

// Rule 46: a start is not acknowledged before it is stored, and goes on when it can be.
#[tokio::test]
async fn a_start_waits_until_it_can_be_stored() {
    run(Setting::Memory, async |site: Site| {
        let storage = Failing::new();
        let host = site.host_on(storage.clone()).await;
        let client = host.client();
        client.start_new::<greet>("warm").await.unwrap();
        storage.fail(true);
        let starting = client.clone();
        let mut start = tokio::spawn(async move {
            let start = starting.start_new::<chain>(vec!["a".to_owned()]);
            start.instance_id("one").await
        });
        tokio::select! {
            biased;
            started = &mut start => panic!("acknowledged: {started:?}"),
            () = storage.refused(4) => {}
        }
        assert_eq!(client.get_status("one").await.unwrap(), None);
        assert_eq!(site.bench.calls("a"), 0);
        storage.fail(false);
        let run = start.await.unwrap().unwrap();
        assert_eq!(run.output().await.unwrap(), ["a"]);
        host.shutdown().await.unwrap();
    })
    .await;
}

// Rule 46: what an activity returned while storage was away is not lost, and it is not run again.
#[tokio::test]
async fn work_waits_and_resumes() {
    run(Setting::Memory, async |site: Site| {
        let storage = Failing::new();
        let host = site.host_on(storage.clone()).await;
        let client = host.client();
        site.bench.hold("a");
        let keys = vec!["a".to_owned(), "b".to_owned()];
        let run = client.start_new::<chain>(keys).await.unwrap();
        until_recorded(&client, run.id(), "TaskScheduled", 1).await;
        site.bench.called("a", 1).await;
        storage.fail(true);
        site.bench.let_go("a");
        storage.refused(4).await;
        assert_eq!(site.bench.calls("b"), 0);
        storage.fail(false);
        assert_eq!(run.output().await.unwrap(), ["a", "b"]);
        assert_eq!((site.bench.calls("a"), site.bench.calls("b")), (1, 1));
        host.shutdown().await.unwrap();
    })
    .await;
}

// Rules 41 and 46: a message that was dealt with while storage was away is not dealt with again.
#[tokio::test]
async fn what_was_dealt_with_is_settled_when_it_can_be() {
    run(Setting::Memory, async |site: Site| {
        let storage = Failing::new();
        let host = site.host_on(storage.clone()).await;
        let client = host.client();
        site.bench.hold("a");
        client.enqueue("keys", "a").await.unwrap();
        site.bench.called("a", 1).await;
        storage.fail(true);
        match client.enqueue("keys", "b").await {
            Err(ClientError::Storage(error)) => assert!(error.is_transient(), "{error}"),
            other => panic!("{other:?}"),
        }
        site.bench.let_go("a");
        storage.refused(4).await;
        storage.fail(false);
        client.enqueue("keys", "c").await.unwrap();
        site.bench.called("c", 1).await;
        host.shutdown().await.unwrap();
        let counts = ["a", "b", "c"].map(|key| site.bench.calls(key));
        assert_eq!(counts, [1, 0, 1]);
        assert_eq!(client.queue_length("keys").await.unwrap(), 0);
    })
    .await;
}

// Rule 46: a client without a host gets the error, and nothing was started.
#[tokio::test]
async fn a_client_through_storage_gets_the_error() {
    run(Setting::Memory, async |site: Site| {
        let storage = Failing::new();
        let client = DurableClient::connect(storage.clone(), "DurableHub").unwrap();
        storage.fail(true);
        let start = || client.start_new::<greet>("Ann").instance_id("one");
        match start().await {
            Err(ClientError::Storage(error)) => assert!(error.is_transient(), "{error}"),
            other => panic!("{other:?}"),
        }
        storage.fail(false);
        let run = start().await.unwrap();
        let host = site.host_on(storage).await;
        assert_eq!(run.output().await.unwrap(), "Hello Ann!");
        host.shutdown().await.unwrap();
    })
    .await;
}

// Rule 45: what another worker has taken over is not waited for when the host ends.
#[tokio::test]
async fn a_host_ends_although_its_last_commit_is_refused() {
    run(Setting::Memory, async |mut site: Site| {
        site.options.partition_count = 1;
        site.options.shutdown_grace = LONG;
        let storage = Failing::new();
        let host = site.host_on(storage.clone()).await;
        let client = host.client();
        let later = client.start_new::<greet>("Ann").start_at(now() + LONG);
        let run = later.await.unwrap();
        storage.fail(true);
        let suspended = tokio::spawn(async move { client.suspend(run.id(), "wait").await });
        storage.refused(2).await;
        let ends = tokio::spawn(async move { host.shutdown().await });
        // Meanwhile the partition thread hands the rest over and waits for the commit.
        storage.refused(6).await;
        storage.fence();
        storage.fail(false);
        ends.await.unwrap().unwrap();
        assert!(matches!(
            suspended.await.unwrap(),
            Err(ClientError::Busy { .. })
        ));
    })
    .await;
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Tally {
    count: u32,
}

#[entity]
impl Tally {
    fn add(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    async fn reach_out(&mut self, State(bench): State<Bench>, key: String) {
        bench.begin(&key);
    }
}

/// Has an entity of another partition do something when it is told to.
#[orchestrator]
async fn pass_on(ctx: OrchestrationContext, entity: String) -> Result<()> {
    let key = ctx.wait_for_external_event::<String>("go").await?;
    ctx.entity::<Tally>(entity).reach_out(key).await?;
    Ok(())
}

// Rule 46: an operation that may reach into the world waits until the call of it is stored, although
// the entity has the call before.
#[tokio::test]
async fn an_async_operation_waits_until_its_call_is_stored() {
    run(Setting::Memory, async |site: Site| {
        let storage = Failing::new();
        let host = site.host_on(storage.clone()).await;
        let client = host.client();
        let mut runs = Vec::new();
        // Of so many entities some are in other partitions than their callers.
        for number in 0..8 {
            let run = client.start_new::<pass_on>(format!("tally-{number}")).await;
            runs.push(run.unwrap());
        }
        // They are in memory, so that nothing has to be read while storage fails.
        for number in 0..8 {
            let tally = client.signal::<Tally>(format!("tally-{number}"));
            tally.add().await.unwrap();
        }
        storage.fail(true);
        let events = join_all(runs.iter().map(|run| run.raise_event("go", "x")));
        let outage = async {
            storage.refused(5).await;
            assert_eq!(site.bench.calls("x"), 0);
            storage.fail(false);
        };
        let (raised, ()) = tokio::join!(events, outage);
        for raised in raised {
            raised.unwrap();
        }
        for run in runs {
            run.output().await.unwrap();
        }
        assert_eq!(site.bench.calls("x"), 8);
        host.shutdown().await.unwrap();
    })
    .await;
}

/// Returns where the counting went wrong.
#[orchestrator]
async fn count_to(ctx: OrchestrationContext, last: u32) -> Result<Option<(u32, u32)>> {
    let tally = ctx.instance_id().to_owned();
    for number in 1..=last {
        let counted = ctx.entity::<Tally>(tally.as_str()).add().await?;
        if counted != number {
            return Ok(Some((number, counted)));
        }
    }
    Ok(None)
}

async fn counts(client: &DurableClient, id: String) -> OrchestrationRun<Option<(u32, u32)>> {
    loop {
        let start = client.start_new::<count_to>(50_u32).instance_id(&id);
        match start.on_existing(OnExisting::Ignore).await {
            Ok(run) => return run,
            // Its partition was lost before it was stored.
            Err(ClientError::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

// Rule 45: messages do not wait for the commit of their sender, so when the sender turns out to have
// lost its partition, what its receivers made of them must not be kept either.
#[tokio::test]
async fn what_rests_on_lost_work_is_lost_with_it() {
    run(Setting::Memory, async |site: Site| {
        let storage = Failing::new();
        let host = site.host_on(storage.clone()).await;
        let client = host.client();
        storage.fence_one_in(10);
        // How many commits there are is a matter of speed.
        for round in 0.. {
            if storage.outage.borrow().refused >= 5 {
                break;
            }
            let starts = (0..8).map(|number| counts(&client, format!("{round}-{number}")));
            for run in join_all(starts).await {
                assert_eq!(run.output().await.unwrap(), None, "{}", run.id());
            }
        }
        host.shutdown().await.unwrap();
    })
    .await;
}

// Rule 46: the same with a file that may not grow; what was asked for is done when it may.
#[tokio::test]
async fn a_full_file_holds_work_up_and_loses_none() {
    run(Setting::SqliteFile, async |site: Site| {
        let Storage::Sqlite(sqlite) = &site.storage else {
            panic!("{:?}", site.storage);
        };
        let host = site.host().await;
        let client = host.client();
        let warm = client.start_new::<greet>("warm").await.unwrap();
        warm.output().await.unwrap();
        sqlite.set_max_bytes(1).unwrap();
        let name = "x".repeat(1024 * 1024);
        let start = client.start_new::<greet>(name.as_str()).instance_id("one");
        let started = tokio::time::timeout(Duration::from_millis(50), start.into_future());
        assert!(started.await.is_err(), "it cannot have been stored");
        assert_eq!(client.get_status("one").await.unwrap(), None);
        assert_eq!(warm.status().await.unwrap().name, "greet");
        sqlite.set_max_bytes(1024 * 1024 * 1024).unwrap();
        until_status(&client, "one", RuntimeStatus::Completed).await;
        host.shutdown().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_hub_that_cannot_be_opened_is_an_error() {
    let client = DurableClient::connect(Memory::new(), "not a name");
    assert!(matches!(client, Err(ClientError::Storage(_))));
}
