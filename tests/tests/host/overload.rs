//! A host that is asked for more than it can do says so at once and does what it has accepted; a client
//! that is told so has an error that it can answer by trying again (rule 46).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use durable_runtime::client::{ClientError, OrchestrationRun, RuntimeStatus};
use durable_runtime::host::{DurableHostBuilder, HostOptions};
use durable_runtime::model::{Command, Envelope, InstanceId, Payload, TaskHubName};
use durable_runtime::prelude::*;
use durable_runtime::storage::{HubOptions, Memory, Sqlite, StorageProvider};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::fixture::{Gate, eventually, host};
use crate::process::{PATIENCE, Site};

#[activity]
async fn enter(State(gate): State<Arc<Gate>>, number: u32) -> Result<u32> {
    gate.pass().await;
    Ok(number)
}

#[orchestrator]
async fn go_through(ctx: OrchestrationContext, number: u32) -> Result<u32> {
    Ok(ctx.call_activity::<enter>(number).await?)
}

/// A host for [`go_through()`].
fn passage(
    storage: impl StorageProvider,
    options: HostOptions,
    gate: &Arc<Gate>,
) -> DurableHostBuilder {
    host(storage, options)
        .state(Arc::clone(gate))
        .register::<go_through>()
        .register::<enter>()
}

/// Starts until the host accepts no more, and gives what it has accepted.
async fn start_all(client: &DurableClient, at_most: u32) -> (Vec<OrchestrationRun<u32>>, String) {
    let mut accepted = Vec::new();
    for number in 0..at_most {
        match client.start_new::<go_through>(number).await {
            Ok(run) => accepted.push(run),
            Err(error @ ClientError::Busy { .. }) => return (accepted, error.to_string()),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("all of {at_most} starts were accepted");
}

// Rule 46: a client gets an error, and never a false success.
#[tokio::test]
async fn starts_are_refused_while_too_many_activities_wait() {
    let gate = Arc::new(Gate::default());
    let options = HostOptions {
        max_concurrent_activities: 1,
        max_waiting_activities: 3,
        ..HostOptions::default()
    };
    let host = passage(Memory::new(), options, &gate);
    let host = host.start().await.unwrap();
    let client = host.client();

    let (accepted, refused) = start_all(&client, 100).await;
    assert_eq!(accepted.len(), 4, "one that runs and three that wait");
    assert!(
        refused.contains("3, with 3 bytes, of activities that wait")
            && refused.contains("try again"),
        "{refused}"
    );
    let refused = client.start_new::<go_through>(0_u32).instance_id("later");
    assert!(matches!(refused.await, Err(ClientError::Busy { .. })));
    assert!(client.get_status("later").await.unwrap().is_none());

    // The rest of what clients ask for is done.
    for run in &accepted {
        let status = run.status().await.unwrap().runtime_status;
        assert_eq!(status, RuntimeStatus::Running);
        run.raise_event("any", ()).await.unwrap();
    }
    // An operator makes room.
    accepted[3].terminate("too much").await.unwrap();
    let instead = eventually("there is room for another", async || {
        match client.start_new::<go_through>(4_u32).await {
            Ok(run) => Some(run),
            Err(ClientError::Busy { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    })
    .await;

    gate.let_out(100);
    for (run, number) in accepted[..3].iter().zip(0..) {
        assert_eq!(run.output().await.unwrap(), number);
    }
    assert_eq!(instead.output().await.unwrap(), 4);
    let later = client.start_new::<go_through>(5_u32).instance_id("later");
    assert_eq!(later.await.unwrap().output().await.unwrap(), 5);
    host.shutdown().await.unwrap();
}

// However few they are: it is their inputs that take memory.
#[tokio::test]
async fn starts_are_refused_while_the_inputs_of_waiting_activities_are_too_large() {
    let gate = Arc::new(Gate::default());
    let options = HostOptions {
        max_concurrent_activities: 1,
        max_pending_bytes: 10,
        ..HostOptions::default()
    };
    let host = passage(Memory::new(), options, &gate);
    let host = host.start().await.unwrap();
    let (accepted, refused) = start_all(&host.client(), 100).await;
    // The first one runs. The inputs of the next ten are the numbers from 1 to 10.
    assert_eq!(accepted.len(), 11);
    let expected = "10, with 11 bytes, of activities that wait";
    assert!(refused.contains(expected), "{refused}");
    gate.let_out(100);
    for (run, number) in accepted.iter().zip(0..) {
        assert_eq!(run.output().await.unwrap(), number);
    }
    host.shutdown().await.unwrap();
}

/// Starts ten at once on a host whose storage takes nothing for the moment; gives how many of them were
/// accepted, when it does again, and why the others were not.
async fn accepted_of_ten(options: HostOptions) -> (usize, String) {
    let site = Site::new();
    let gate = Arc::new(Gate::default());
    gate.let_out(100);
    let host = passage(Sqlite::open(site.database()).unwrap(), options, &gate);
    let host = host.start().await.unwrap();
    let other = rusqlite::Connection::open(site.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut starts = JoinSet::new();
    for number in 0..10_u32 {
        let client = host.client();
        starts.spawn(async move { client.start_new::<go_through>(number).await });
    }
    // Who is refused is told so while storage is stuck.
    let refused = starts.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(matches!(refused, ClientError::Busy { .. }), "{refused}");
    other.execute_batch("ROLLBACK").unwrap();
    let mut accepted = 0;
    while let Some(start) = starts.join_next().await {
        match start.unwrap() {
            Ok(run) => {
                run.output().await.unwrap();
                accepted += 1;
            }
            Err(error) => assert!(matches!(error, ClientError::Busy { .. }), "{error}"),
        }
    }
    host.shutdown().await.unwrap();
    (accepted, refused.to_string())
}

// Rule 46.
#[tokio::test]
async fn requests_are_refused_while_too_many_are_not_durable() {
    let options = HostOptions {
        max_pending_requests: 3,
        ..HostOptions::default()
    };
    let (accepted, refused) = accepted_of_ten(options).await;
    assert_eq!(accepted, 3);
    let expected = "3, with 3 bytes, of requests that are not durable yet";
    assert!(refused.contains(expected), "{refused}");
}

// Rule 46. However large it is, one alone is taken.
#[tokio::test]
async fn requests_are_refused_while_those_that_are_not_durable_are_too_large() {
    let options = HostOptions {
        max_pending_bytes: 1,
        ..HostOptions::default()
    };
    let (accepted, refused) = accepted_of_ten(options).await;
    assert_eq!(accepted, 1);
    let expected = "1, with 1 bytes, of requests that are not durable yet";
    assert!(refused.contains(expected), "{refused}");
}

// What such a host is asked for when it has been shut down is for the next one, and no load of its.
#[tokio::test]
async fn a_host_that_has_stopped_is_not_busy() {
    let storage = Memory::new();
    let gate = Arc::new(Gate::default());
    let builder = |gate: &Arc<Gate>| {
        let options = HostOptions {
            max_concurrent_activities: 1,
            max_waiting_activities: 1,
            shutdown_grace: std::time::Duration::ZERO,
            ..HostOptions::default()
        };
        passage(storage.clone(), options, gate)
    };
    let first = builder(&gate).start().await.unwrap();
    let client = first.client();
    let (accepted, _) = start_all(&client, 100).await;
    first.shutdown().await.unwrap();
    let run = client.start_new::<go_through>(7_u32).await.unwrap();
    gate.let_out(100);
    let second = builder(&gate).start().await.unwrap();
    assert_eq!(run.output().await.unwrap(), 7);
    for (run, number) in accepted.iter().zip(0..) {
        assert_eq!(run.output().await.unwrap(), number);
    }
    second.shutdown().await.unwrap();
}

#[durable_client(queue("numbers"))]
async fn start_one(client: DurableClient, number: u32) -> Result<()> {
    let start = client.start_new::<go_through>(number);
    start.instance_id(format!("queued-{number}")).await?;
    Ok(())
}

// A message has so many attempts, and a timer fires once: neither is lost because the host was busy.
#[tokio::test]
async fn client_functions_with_a_queue_wait_for_room() {
    let gate = Arc::new(Gate::default());
    let options = HostOptions {
        max_concurrent_activities: 1,
        max_waiting_activities: 1,
        max_queue_attempts: 1,
        ..HostOptions::default()
    };
    let host = passage(Memory::new(), options, &gate).register::<start_one>();
    let host = host.start().await.unwrap();
    let client = host.client();
    // As many as are worked on at once, so that most of them come when there is no room.
    let numbers = 0..16;
    for number in numbers.clone() {
        client.enqueue("numbers", number).await.unwrap();
    }
    eventually("there is no room", async || {
        let one_more = client.start_new::<go_through>(99_u32).await;
        matches!(one_more, Err(ClientError::Busy { .. })).then_some(())
    })
    .await;
    gate.let_out(1_000);
    for number in numbers {
        let id = format!("queued-{number}");
        eventually(&id, async || client.get_status(&id).await.unwrap()).await;
        let ended = client.wait_for_completion(&id, PATIENCE).await.unwrap();
        assert_eq!(ended.runtime_status, RuntimeStatus::Completed);
    }
    assert_eq!(client.queue_length("numbers-poison").await.unwrap(), 0);
    host.shutdown().await.unwrap();
}

static TICKED: Semaphore = Semaphore::const_new(0);
static WAS_REFUSED: AtomicBool = AtomicBool::new(false);

#[durable_client(timer("* * * * * *"))]
async fn tick(client: DurableClient) -> Result<()> {
    TICKED.add_permits(1);
    let start = client.start_new::<go_through>(50_u32).instance_id("ticked");
    match start.await {
        Ok(_) | Err(ClientError::AlreadyExists { .. }) => Ok(()),
        Err(error) => {
            WAS_REFUSED.store(true, Ordering::SeqCst);
            Err(error.into())
        }
    }
}

// It fires once for each time that is due, so what it starts would not be started.
#[tokio::test]
async fn client_functions_with_a_schedule_wait_for_room() {
    let gate = Arc::new(Gate::default());
    let options = HostOptions {
        max_concurrent_activities: 1,
        max_waiting_activities: 1,
        ..HostOptions::default()
    };
    let host = passage(Memory::new(), options, &gate).register::<tick>();
    let host = host.start().await.unwrap();
    let client = host.client();
    start_all(&client, 100).await;
    // The next time comes while there is no room.
    TICKED.forget_permits(usize::MAX);
    let ticked = tokio::time::timeout(PATIENCE, TICKED.acquire()).await;
    ticked.expect("it does not fire").unwrap().forget();
    gate.let_out(100);
    eventually("it starts what it is to start", async || {
        client.get_status("ticked").await.unwrap()
    })
    .await;
    let ended = client.wait_for_completion("ticked", PATIENCE).await;
    assert_eq!(ended.unwrap().output_as::<u32>().unwrap(), 50);
    assert!(!WAS_REFUSED.load(Ordering::SeqCst));
    host.shutdown().await.unwrap();
}

/// Where plain activities wait, each on a thread.
#[derive(Debug, Default)]
struct Door {
    entered: watch::Sender<usize>,
    is_open: Mutex<bool>,
    opened: Condvar,
}

#[activity]
fn hold_a_thread(State(door): State<Arc<Door>>) -> Result<()> {
    door.entered.send_modify(|entered| *entered += 1);
    let is_open = door.is_open.lock().unwrap();
    let opened = door
        .opened
        .wait_timeout_while(is_open, PATIENCE, |is_open| !*is_open);
    assert!(!opened.unwrap().1.timed_out(), "nobody opens the door");
    Ok(())
}

#[orchestrator]
async fn hold(ctx: OrchestrationContext) -> Result<()> {
    Ok(ctx.call_activity::<hold_a_thread>(()).await?)
}

// Plain activities may take all threads for blocking work that there are.
#[test]
fn statuses_are_read_while_activities_hold_all_threads() {
    const THREADS: usize = 2;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let door = Arc::new(Door::default());
        let host = host(Memory::new(), HostOptions::default())
            .state(Arc::clone(&door))
            .register::<hold>()
            .register::<hold_a_thread>();
        let host = host.start().await.unwrap();
        let client = host.client();
        let mut runs = Vec::new();
        for _ in 0..2 * THREADS {
            runs.push(client.start_new::<hold>(()).await.unwrap());
        }
        let mut entered = door.entered.subscribe();
        let all = entered.wait_for(|entered| *entered == THREADS);
        drop(tokio::time::timeout(PATIENCE, all).await.unwrap().unwrap());

        let reads = async {
            for run in &runs {
                let status = run.status().await.unwrap().runtime_status;
                assert_eq!(status, RuntimeStatus::Running);
            }
        };
        let reads = tokio::time::timeout(PATIENCE / 2, reads).await;
        *door.is_open.lock().unwrap() = true;
        door.opened.notify_all();
        reads.expect("the status waits for the activities");
        for run in runs {
            run.output().await.unwrap();
        }
        host.shutdown().await.unwrap();
    });
}

// Clients of other processes: what waits for an owner is bounded too.
#[tokio::test]
async fn an_inbox_that_is_full_takes_no_more() {
    const FULL: usize = 10_000;
    let storage = Memory::new();
    let options = HubOptions { partition_count: 1 };
    let hub = TaskHubName::new("crash").unwrap();
    let hub = storage.open_hub(&hub, &options).unwrap();
    let client = DurableClient::connect(storage.clone(), "crash").unwrap();
    let start = |number: u32| client.start_new::<go_through>(number);
    let run = start(7).await.unwrap();
    let event = Envelope {
        to: InstanceId::new(run.id()).unwrap(),
        command: Command::RaiseEvent {
            name: "any".to_owned(),
            data: Payload::null(),
        },
        request: None,
    };
    hub.enqueue(&vec![event; FULL - 2]).unwrap();

    let last = start(8).await.unwrap();
    let refused = start(9).await.unwrap_err();
    assert!(matches!(refused, ClientError::Busy { .. }), "{refused}");
    assert!(refused.to_string().contains("10000 messages"), "{refused}");
    let refused = run.raise_event("any", ()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Busy { .. }), "{refused}");
    // What brings nothing to be kept is taken.
    last.terminate("not wanted").await.unwrap();

    let gate = Arc::new(Gate::default());
    gate.let_out(100);
    let host = passage(storage, HostOptions::default(), &gate);
    let host = host.start().await.unwrap();
    assert_eq!(run.output().await.unwrap(), 7);
    let ended = last.wait(PATIENCE).await.unwrap();
    assert_eq!(ended.runtime_status, RuntimeStatus::Terminated);
    let accepted = eventually("there is room again", async || start(9).await.ok()).await;
    assert_eq!(accepted.output().await.unwrap(), 9);
    host.shutdown().await.unwrap();
}
