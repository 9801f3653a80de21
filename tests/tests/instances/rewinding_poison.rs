//! Rewinding an instance whose activity took its process down too often.

use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::model::{
    Delta, EventKind, ExecutionId, ExecutionStarted, HistoryEvent, HistoryRow, InstanceDelta,
    InstanceId, InstanceRecord, Payload, RuntimeStatus, Tags, TaskHubName, TaskId, WorkerId,
};
use durable_runtime::storage::{HubOptions, StorageProvider};
use uuid::Uuid;

use crate::support::{Setting, Site, now, run};

// Rules 8 and 32: its crashes are forgotten, even for a host that comes after another crash.
#[tokio::test]
async fn a_poisoned_activity_is_run_again() {
    run(Setting::Memory, async |mut site: Site| {
        crash_with_a_poisoned_instance(&site);
        site.options.max_activity_attempts = 2;
        let host = site.host().await;
        let client = host.client();
        client.rewind("one", "mended").await.unwrap();
        let ended = client.wait_for_completion("one", Duration::from_secs(10));
        let ended = ended.await.unwrap();
        assert_eq!(ended.output_as::<Vec<String>>().unwrap(), ["a"]);
        assert_eq!(site.bench.calls("a"), 1);
        host.shutdown().await.unwrap();
    })
    .await;
}

/// Leaves a failed instance behind, as a host does that never stopped in good order.
fn crash_with_a_poisoned_instance(site: &Site) {
    let name = TaskHubName::new("DurableHub").unwrap();
    let hub = site
        .storage
        .open_hub(&name, &HubOptions::default())
        .unwrap();
    let worker = WorkerId("crashed".to_owned());
    let leases = hub
        .acquire(&worker, Duration::from_secs(60), 1_000)
        .unwrap();
    let id = InstanceId::new("one").unwrap();
    let partition = id.partition(hub.partition_count());
    let lease = leases.iter().find(|lease| lease.partition == partition);
    let mut delta = Delta::new(partition, lease.unwrap().epoch);
    let execution = ExecutionId(Uuid::new_v5(&Uuid::NAMESPACE_OID, b"one"));
    let failure = Failure::new(Failure::POISON, "its process ended").non_retriable();
    let events = poisoned(execution, &failure);
    delta.change(InstanceDelta::Upsert {
        record: Box::new(InstanceRecord {
            id,
            execution,
            name: "chain".to_owned(),
            version: None,
            status: RuntimeStatus::Failed,
            created: now(),
            updated: now(),
            due: None,
            custom_status: None,
            output: Payload::encode(&failure).ok(),
            parent: None,
            tags: Tags::new(),
        }),
        reset_history: true,
        append: vec![HistoryRow {
            sequence: 0,
            events: serde_json::to_string(&events).unwrap(),
        }],
    });
    hub.commit(&[delta]).unwrap();
}

fn poisoned(execution: ExecutionId, failure: &Failure) -> Vec<HistoryEvent> {
    let id = TaskId(0);
    let started = ExecutionStarted {
        execution,
        name: "chain".to_owned(),
        version: None,
        input: Payload::encode(&["a"]).unwrap(),
        parent: None,
        start_at: None,
        tags: Tags::new(),
    };
    let events = [
        EventKind::ExecutionStarted(Box::new(started)),
        EventKind::OrchestratorStarted,
        EventKind::TaskScheduled {
            id,
            name: "work".to_owned(),
            input: Payload::encode("a").unwrap(),
        },
        EventKind::TaskRestarted { id },
        EventKind::TaskFailed {
            id,
            failure: failure.clone(),
        },
        EventKind::OrchestratorStarted,
        EventKind::ExecutionFailed {
            failure: failure.clone(),
        },
    ];
    events.map(|kind| HistoryEvent::new(now(), kind)).to_vec()
}
