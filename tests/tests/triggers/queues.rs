//! Rule 41: durable queues.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::host::HostOptions;
use durable_runtime::model::{Payload, QueueName, TaskHubName, WorkerId};
use durable_runtime::prelude::*;
use durable_runtime::storage::{HubOptions, Memory, Sqlite, StorageProvider, TakeMessages};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::process::Site;
use crate::support::{Log, emptied, eventually, host, quick};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    id: u32,
}

type Shared<T> = Arc<T>;

#[durable_client(queue("orders"))]
async fn on_order(State(log): State<Shared<Log>>, _client: DurableClient, order: Order) {
    log.note(order.id.to_string());
}

/// Rule 41.
#[tokio::test]
async fn every_message_is_delivered_and_then_gone() {
    let log = Shared::<Log>::default();
    let host = host(Memory::new())
        .register::<on_order>()
        .state(Arc::clone(&log));
    let host = host.start().await.unwrap();
    let client = host.client();
    for id in 0..100 {
        client.enqueue("orders", Order { id }).await.unwrap();
    }
    emptied(&client, "orders").await;
    let mut ids: Vec<u32> = log.entries().iter().map(|id| id.parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
    host.shutdown().await.unwrap();
}

/// Rule 41: a message waits for a host that has the function.
#[tokio::test]
async fn what_was_enqueued_without_a_host_is_delivered_by_the_next() {
    let site = Site::new();
    let client = site.connect();
    client.enqueue("orders", Order { id: 7 }).await.unwrap();
    let found = client.peek_queue("orders", 10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].body, json!({"id": 7}));
    assert_eq!(found[0].attempts, 0);

    let log = Shared::<Log>::default();
    let host = host(Sqlite::open(site.database()).unwrap())
        .register::<on_order>()
        .state(Arc::clone(&log));
    let host = host.start().await.unwrap();
    assert_eq!(log.has(1).await, ["7"]);
    // And what another process enqueues while it runs.
    client.enqueue("orders", Order { id: 8 }).await.unwrap();
    assert_eq!(log.has(2).await, ["7", "8"]);
    emptied(&client, "orders").await;
    host.shutdown().await.unwrap();
}

#[durable_client(queue("ordered", concurrency = 1))]
async fn one_by_one(
    _client: DurableClient,
    State(log): State<Shared<Log>>,
    number: u32,
) -> Result<()> {
    let entry = number.to_string();
    let tries = log
        .entries()
        .iter()
        .filter(|known| **known == entry)
        .count();
    log.note(entry);
    // Every third message fails twice.
    if number.is_multiple_of(3) && tries < 2 {
        return Err(Error::msg("not yet"));
    }
    Ok(())
}

/// Rule 41: with a concurrency of 1 the order holds, over all hosts, also where messages fail.
#[tokio::test]
async fn one_by_one_is_in_order_over_two_hosts() {
    let site = Site::new();
    let log = Shared::<Log>::default();
    let start = async || {
        host(Sqlite::open(site.database()).unwrap())
            .register::<one_by_one>()
            .state(Arc::clone(&log))
            .start()
            .await
            .unwrap()
    };
    let (first, second) = (start().await, start().await);
    for number in 0..20_u32 {
        let client = if number % 2 == 0 {
            first.client()
        } else {
            second.client()
        };
        client.enqueue("ordered", number).await.unwrap();
    }
    emptied(&first.client(), "ordered").await;
    let expected: Vec<_> = (0..20_u32)
        .flat_map(|number| {
            let times = if number.is_multiple_of(3) { 3 } else { 1 };
            std::iter::repeat_n(number.to_string(), times)
        })
        .collect();
    assert_eq!(log.entries(), expected);
    first.shutdown().await.unwrap();
    second.shutdown().await.unwrap();
}

#[durable_client(queue("shared"))]
async fn by_anyone(_client: DurableClient, State(log): State<Shared<Log>>, number: u32) {
    log.note(number.to_string());
}

/// Rule 41: two hosts share the messages of a queue, and each message goes to one of them.
#[tokio::test]
async fn two_hosts_share_a_queue() {
    let site = Site::new();
    let logs = [Shared::<Log>::default(), Shared::<Log>::default()];
    let mut hosts = Vec::new();
    for log in &logs {
        let builder = host(Sqlite::open(site.database()).unwrap())
            .register::<by_anyone>()
            .state(Arc::clone(log));
        hosts.push(builder.start().await.unwrap());
    }
    let client = hosts[0].client();
    for number in 0..200_u32 {
        client.enqueue("shared", number).await.unwrap();
    }
    emptied(&client, "shared").await;
    let mut all: Vec<u32> = logs
        .iter()
        .flat_map(|log| log.entries())
        .map(|number| number.parse().unwrap())
        .collect();
    all.sort_unstable();
    assert_eq!(all, (0..200).collect::<Vec<_>>());
    for host in hosts {
        host.shutdown().await.unwrap();
    }
}

#[durable_client(queue("failing"))]
async fn failing(
    _client: DurableClient,
    State(log): State<Shared<Log>>,
    how: String,
) -> Result<()> {
    log.note(how.clone());
    match how.as_str() {
        "panics" => panic!("it burns"),
        "for good" => Err(Error::non_retriable("it is hopeless")),
        _ => Err(Error::msg("it does not work")),
    }
}

/// Rule 41: after N failures a message goes to the poison queue, at once where that is known to be all.
/// From there it can be put back.
#[tokio::test]
async fn what_cannot_be_dealt_with_goes_to_the_poison_queue() {
    let log = Shared::<Log>::default();
    let host = host(Memory::new())
        .options(HostOptions {
            max_queue_attempts: 3,
            ..quick()
        })
        .register::<failing>()
        .state(Arc::clone(&log));
    let host = host.start().await.unwrap();
    let client = host.client();
    for (how, attempts, error) in [
        ("fails", 3, "it does not work"),
        ("panics", 3, "it burns"),
        ("for good", 1, "it is hopeless"),
    ] {
        let before = log.entries().len();
        client.enqueue("failing", how).await.unwrap();
        emptied(&client, "failing").await;
        assert_eq!(log.entries().len() - before, attempts, "{how}");
        let poison = client.peek_queue("failing-poison", 10).await.unwrap();
        let last = poison.last().unwrap();
        assert_eq!(last.body, json!(how));
        assert!(last.error.as_ref().unwrap().contains(error), "{last:?}");
    }
    let before = log.entries().len();
    assert_eq!(client.requeue_poison("failing").await.unwrap(), 3);
    emptied(&client, "failing").await;
    assert_eq!(log.entries().len() - before, 7);
    assert_eq!(client.queue_length("failing-poison").await.unwrap(), 3);
    host.shutdown().await.unwrap();
}

/// Rule 41: a message of another type is moved away at once, and holds nobody up.
#[tokio::test]
async fn a_message_of_another_type_is_poison_at_once() {
    let log = Shared::<Log>::default();
    let host = host(Memory::new())
        .register::<on_order>()
        .state(Arc::clone(&log));
    let host = host.start().await.unwrap();
    let client = host.client();
    client.enqueue("orders", "no order").await.unwrap();
    client.enqueue("orders", Order { id: 1 }).await.unwrap();
    emptied(&client, "orders").await;
    assert_eq!(log.entries(), ["1"]);
    let poison = client.peek_queue("orders-poison", 10).await.unwrap();
    assert_eq!(poison.len(), 1);
    let error = poison[0].error.as_ref().unwrap();
    let what = "the message for client function \"on_order\" does not fit its type `triggers::queues::Order`";
    assert!(error.starts_with(what), "{error}");
    assert!(error.contains("expected struct Order"), "{error}");
    host.shutdown().await.unwrap();
}

/// Functions enter, and wait inside until they are let out.
#[derive(Debug)]
struct Gate {
    inside: AtomicUsize,
    most: AtomicUsize,
    entered: AtomicUsize,
    exit: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            inside: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            entered: AtomicUsize::new(0),
            exit: Semaphore::new(0),
        }
    }
}

impl Gate {
    async fn pass(&self) {
        self.entered.fetch_add(1, Ordering::SeqCst);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        self.exit.acquire().await.unwrap().forget();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    async fn has(&self, inside: usize) {
        let enough = async || (self.inside.load(Ordering::SeqCst) == inside).then_some(());
        eventually("enough inside", enough).await;
    }
}

#[durable_client(queue("gated", concurrency = 3))]
async fn gated(_client: DurableClient, State(gate): State<Shared<Gate>>, _number: u32) {
    gate.pass().await;
}

/// Rule 41: as many messages at once as the function says, and no more.
#[tokio::test]
async fn the_concurrency_is_reached_and_kept() {
    let gate = Shared::<Gate>::default();
    let host = host(Memory::new())
        .register::<gated>()
        .state(Arc::clone(&gate));
    let host = host.start().await.unwrap();
    let client = host.client();
    for number in 0..10_u32 {
        client.enqueue("gated", number).await.unwrap();
    }
    gate.has(3).await;
    gate.exit.add_permits(7);
    eventually("all have entered", async || {
        (gate.entered.load(Ordering::SeqCst) == 10).then_some(())
    })
    .await;
    gate.exit.add_permits(3);
    emptied(&client, "gated").await;
    assert_eq!(gate.most.load(Ordering::SeqCst), 3);
    host.shutdown().await.unwrap();
}

/// Waits until a lease of this length has run out, on a message of a queue that nobody else looks into.
async fn run_out(site: &Site, queue: &str, lease: Duration) {
    let storage = Sqlite::open(site.database()).unwrap();
    let hub = TaskHubName::new("crash").unwrap();
    let hub = storage.open_hub(&hub, &HubOptions::default()).unwrap();
    let queue = QueueName::new(queue).unwrap();
    hub.push_messages(&queue, &[Payload::null()]).unwrap();
    let worker = WorkerId("witness".to_owned());
    let take = || {
        let taken = hub.take_messages(&TakeMessages {
            queue: &queue,
            worker: &worker,
            lease,
            at_most: 1,
            in_order: false,
        });
        taken.unwrap().messages.len()
    };
    assert_eq!(take(), 1);
    eventually("the lease runs out", async || (take() == 1).then_some(())).await;
}

/// Rule 41: a lease is renewed for as long as the function runs, however long that is.
#[tokio::test]
async fn what_takes_longer_than_the_lease_is_delivered_once() {
    const LEASE: Duration = Duration::from_secs(2);
    let site = Site::new();
    let gates = [Shared::<Gate>::default(), Shared::<Gate>::default()];
    let mut hosts = Vec::new();
    for gate in &gates {
        let builder = host(Sqlite::open(site.database()).unwrap())
            .options(HostOptions {
                lease_duration: LEASE,
                ..quick()
            })
            .register::<gated>()
            .state(Arc::clone(gate));
        hosts.push(builder.start().await.unwrap());
    }
    let client = hosts[0].client();
    client.enqueue("gated", 1).await.unwrap();
    let entered = || -> usize {
        gates
            .iter()
            .map(|gate| gate.entered.load(Ordering::SeqCst))
            .sum()
    };
    eventually("it has entered", async || (entered() == 1).then_some(())).await;
    run_out(&site, "witness", 3 * LEASE).await;
    assert_eq!(entered(), 1);
    for gate in &gates {
        gate.exit.add_permits(1);
    }
    emptied(&client, "gated").await;
    assert_eq!(entered(), 1);
    for host in hosts {
        host.shutdown().await.unwrap();
    }
}

/// Rules 41 and 45: a host that ends gives running functions time; what is not done by then is delivered
/// again, and the attempt does not count.
#[tokio::test]
async fn a_shutdown_gives_back_what_is_not_done() {
    let site = Site::new();
    let start = async |gate: &Shared<Gate>| {
        host(Sqlite::open(site.database()).unwrap())
            .options(HostOptions {
                shutdown_grace: Duration::from_millis(50),
                // A message that counts would be poison at once; the lease is not waited for.
                max_queue_attempts: 1,
                lease_duration: Duration::from_secs(600),
                ..quick()
            })
            .register::<gated>()
            .state(Arc::clone(gate))
            .start()
            .await
            .unwrap()
    };
    let gate = Shared::<Gate>::default();
    let first = start(&gate).await;
    first.client().enqueue("gated", 1).await.unwrap();
    gate.has(1).await;
    first.shutdown().await.unwrap();

    let gate = Shared::<Gate>::default();
    let second = start(&gate).await;
    gate.has(1).await;
    gate.exit.add_permits(1);
    let client = second.client();
    emptied(&client, "gated").await;
    assert_eq!(client.queue_length("gated-poison").await.unwrap(), 0);
    second.shutdown().await.unwrap();
}

/// Rule 41: what a process was working on when it was killed is delivered again.
#[tokio::test]
async fn a_killed_process_loses_no_message() {
    let site = Site::new();
    std::fs::write(site.file("hold"), "").unwrap();
    let worker = site.serve(600, 10);
    let client = site.connect();
    for number in 0..5 {
        client.enqueue("jobs", number.to_string()).await.unwrap();
    }
    let begun = async || (site.lines("jobs").len() == 5).then_some(());
    eventually("all have begun", begun).await;
    drop(worker);
    assert_eq!(client.queue_length("jobs").await.unwrap(), 5);

    std::fs::remove_file(site.file("hold")).unwrap();
    let worker = site.serve(600, 10);
    emptied(&client, "jobs").await;
    worker.stop();
    let lines = site.lines("jobs");
    for number in 0..5 {
        let done = format!("done {number}");
        assert_eq!(
            lines.iter().filter(|line| **line == done).count(),
            1,
            "{lines:?}"
        );
    }
}

/// Rule 41: nor does one that is killed now and then, whatever it does at the time.
#[tokio::test]
async fn processes_that_are_killed_now_and_then_lose_no_message() {
    // Fewer than attempts, for a message may be under way each time.
    const KILLS: usize = 4;
    let site = Site::new();
    let client = site.connect();
    for round in 0..KILLS {
        let worker = site.serve(600, 10);
        for number in 0..50 {
            let message = format!("{round}-{number}");
            client.enqueue("jobs", message).await.unwrap();
        }
        let some = async || (site.lines("jobs").len() > round * 50).then_some(());
        eventually("some have begun", some).await;
        drop(worker);
    }
    let worker = site.serve(600, 10);
    emptied(&client, "jobs").await;
    worker.stop();
    assert_eq!(client.queue_length("jobs-poison").await.unwrap(), 0);
    let lines = site.lines("jobs");
    for round in 0..KILLS {
        for number in 0..50 {
            let done = format!("done {round}-{number}");
            assert!(lines.contains(&done), "{done} is missing");
        }
    }
}

/// Rule 41: a message that takes its process down every time ends in the poison queue.
#[tokio::test]
async fn a_message_that_kills_is_poison() {
    let site = Site::new();
    let client = site.connect();
    client.enqueue("jobs", "kill").await.unwrap();
    for _ in 0..5 {
        let mut worker = site.spawn("serve", ["600", "10"]);
        worker.child.wait().unwrap();
    }
    let worker = site.serve(600, 10);
    emptied(&client, "jobs").await;
    worker.stop();
    assert_eq!(site.lines("jobs"), ["begun kill"; 5]);
    let poison = client.peek_queue("jobs-poison", 1).await.unwrap();
    let error = poison[0].error.as_ref().unwrap();
    assert!(error.contains("attempt 5"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_enqueued_is_refused() {
    let client = DurableClient::connect(Memory::new(), "hub").unwrap();
    for name in ["", "no spaces", "ö", &"q".repeat(129)] {
        let refused = client.enqueue(name, 1).await.unwrap_err();
        assert!(
            matches!(refused, ClientError::InvalidQueueName(_)),
            "{refused}"
        );
    }
    let large = "x".repeat(5 * 1024 * 1024);
    let refused = client.enqueue("orders", large).await.unwrap_err();
    assert!(
        matches!(refused, ClientError::PayloadTooLarge(_)),
        "{refused}"
    );
    let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
    let refused = client.enqueue("orders", no_json).await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Serialization { .. }),
        "{refused}"
    );
    assert_eq!(client.queue_length("orders").await.unwrap(), 0);
}
