//! Client functions that their triggers run in virtual time.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, TestHostBuilder, TestHostError, run_with};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::support::{DAY, HOUR, SECOND};

/// What functions have seen, and when.
type Seen<T> = Arc<Mutex<Vec<T>>>;

fn seen<T: Clone>(seen: &Seen<T>) -> Vec<T> {
    seen.lock().unwrap().clone()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[orchestrator]
async fn report(ctx: OrchestrationContext, day: String) -> Result<String> {
    ctx.sleep(HOUR).await;
    Ok(day)
}

#[durable_client(timer("0 0 2 * * *"))]
async fn nightly(
    client: DurableClient,
    timer: TimerInfo,
    State(seen): State<Seen<TimerInfo>>,
) -> Result<()> {
    let day = timer.scheduled.format("report-%F").to_string();
    seen.lock().unwrap().push(timer);
    client.start_new::<report>(&*day).instance_id(&*day).await?;
    Ok(())
}

// Rule 40.
#[test]
fn a_schedule_fires_once_at_each_due_time() {
    let fired = Seen::<TimerInfo>::default();
    let host = TestHost::builder()
        .trigger::<nightly>()
        .state(Arc::clone(&fired))
        .start_time(time("2024-02-28T12:00:00Z"));
    run_with(host, async |host| {
        host.sleep(3 * DAY).await;
        let fired = seen(&fired);
        let due: Vec<_> = fired.iter().map(|timer| timer.scheduled).collect();
        let expected = ["2024-02-29", "2024-03-01", "2024-03-02"];
        let expected = expected.map(|day| time(&format!("{day}T02:00:00Z")));
        assert_eq!(due, expected);
        assert_eq!(fired[0].last, None);
        assert_eq!(fired[1].last, Some(expected[0]));
        assert_eq!(fired[2].next, Some(expected[2] + TimeDelta::days(1)));
        assert!(fired.iter().all(|timer| !timer.is_past_due));

        let client = host.client();
        let report = client.get_status("report-2024-03-01").await.unwrap();
        let report = report.unwrap();
        assert_eq!(report.output_as::<String>().unwrap(), "report-2024-03-01");
        assert_eq!(report.created_time, expected[1]);
        assert_eq!(report.last_updated_time, expected[1] + TimeDelta::hours(1));
    });
}

// Nobody wants the schedules and queues of all that is linked.
#[durable_runtime::test]
async fn only_what_is_asked_for_is_triggered(host: TestHost) {
    host.client().enqueue("orders", 1).await.unwrap();
    host.sleep(2 * DAY).await;
    assert_eq!(host.client().queue_length("orders").await.unwrap(), 1);
    let report = host.client().get_status("report-2024-01-02").await;
    assert!(report.unwrap().is_none());
}

#[durable_client(timer("0 0 * * * *"))]
async fn slow(_client: DurableClient, timer: TimerInfo, State(seen): State<Seen<TimerInfo>>) {
    seen.lock().unwrap().push(timer);
    tokio::time::sleep(150 * 60 * SECOND).await;
}

// Rule 40: runs do not overlap, and what came up meanwhile is made up for by one run.
#[test]
fn a_run_that_takes_long_makes_the_next_late() {
    let fired = Seen::<TimerInfo>::default();
    let host = TestHost::builder()
        .trigger::<slow>()
        .state(Arc::clone(&fired));
    run_with(host, async |host| {
        host.sleep(6 * HOUR + SECOND).await;
        let hours: Vec<_> = seen(&fired)
            .iter()
            .map(|timer| (timer.scheduled.format("%H").to_string(), timer.is_past_due))
            .collect();
        let expected = [("01", false), ("03", true), ("06", true)];
        assert_eq!(
            hours,
            expected.map(|(hour, is_late)| (hour.to_owned(), is_late))
        );
    });
}

// Rule 40: a run that a crash cuts off is repeated.
#[test]
fn a_crash_has_a_due_time_repeated() {
    let fired = Seen::<TimerInfo>::default();
    let host = TestHost::builder()
        .trigger::<slow>()
        .state(Arc::clone(&fired));
    run_with(host, async |host| {
        host.sleep(HOUR + 10 * SECOND).await;
        host.crash().await;
        host.sleep(SECOND).await;
        let fired = seen(&fired);
        assert_eq!(fired.len(), 2, "{fired:?}");
        assert_eq!(fired[1].scheduled, fired[0].scheduled);
        assert!(fired[1].is_past_due);
        assert_eq!(fired[1].last, None);
    });
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    id: String,
    fails: usize,
}

fn order(id: &str, fails: usize) -> Order {
    Order {
        id: id.to_owned(),
        fails,
    }
}

/// Which order, and when.
type Tried = Seen<(String, Instant)>;

#[durable_client(queue("orders"))]
async fn on_order(client: DurableClient, order: Order, State(tried): State<Tried>) -> Result<()> {
    let Order { id, fails } = order;
    let count = {
        let mut tried = tried.lock().unwrap();
        tried.push((id.clone(), Instant::now()));
        tried.iter().filter(|(of, _)| *of == id).count()
    };
    if count <= fails {
        return Err(Error::msg("the warehouse is closed"));
    }
    client.start_new::<report>(&*id).instance_id(&*id).await?;
    Ok(())
}

fn with_orders() -> (TestHostBuilder, Tried) {
    let tried = Tried::default();
    let host = TestHost::builder()
        .trigger::<on_order>()
        .state(Arc::clone(&tried));
    (host, tried)
}

// Rule 41: at least once, with the delays of a host, and to the poison queue after five tries.
#[test]
fn messages_are_delivered_until_they_are_poison() {
    let (host, tried) = with_orders();
    run_with(host, async |host| {
        let (client, began, began_at) = (host.client(), Instant::now(), host.now());
        for order in [order("good", 0), order("late", 2), order("bad", 99)] {
            client.enqueue("orders", &order).await.unwrap();
        }
        host.sleep(60 * SECOND).await;
        let times = |id: &str| -> Vec<_> {
            let tried = seen(&tried).into_iter().filter(|(of, _)| of == id);
            tried.map(|(_, at)| (at - began).as_millis()).collect()
        };
        assert_eq!(times("good"), [0]);
        assert_eq!(times("late"), [0, 1_000, 3_000]);
        assert_eq!(times("bad"), [0, 1_000, 3_000, 7_000, 15_000]);

        assert_eq!(client.queue_length("orders").await.unwrap(), 0);
        let poison = client.peek_queue("orders-poison", 10).await.unwrap();
        assert_eq!(poison.len(), 1);
        assert_eq!(poison[0].body["id"], "bad");
        let error = poison[0].error.as_deref().unwrap();
        assert!(error.contains("the warehouse is closed"), "{error}");
        assert_eq!(poison[0].enqueued_time, began_at);

        assert!(client.get_status("late").await.unwrap().is_some());
        assert!(client.get_status("bad").await.unwrap().is_none());
        assert_eq!(client.requeue_poison("orders").await.unwrap(), 1);
        host.sleep(2 * SECOND).await;
        assert_eq!(times("bad")[5..], [60_000, 61_000]);
    });
}

#[durable_client(queue("slow-orders", concurrency = 1))]
async fn on_slow_order(_client: DurableClient, id: String, State(tried): State<Seen<String>>) {
    tried.lock().unwrap().push(id);
    tokio::time::sleep(60 * SECOND).await;
}

// Rule 41: a crash is a try, and the order of a queue that is worked on one by one holds.
#[test]
fn a_crash_has_a_message_delivered_again() {
    let tried = Seen::<String>::default();
    let host = TestHost::builder()
        .trigger::<on_slow_order>()
        .state(Arc::clone(&tried));
    run_with(host, async |host| {
        let client = host.client();
        for id in ["a", "b"] {
            client.enqueue("slow-orders", id).await.unwrap();
        }
        for _ in 0..2 {
            host.sleep(30 * SECOND).await;
            host.crash().await;
        }
        host.sleep(SECOND).await;
        let queue = client.peek_queue("slow-orders", 10).await.unwrap();
        let attempts: Vec<_> = queue.iter().map(|message| message.attempts).collect();
        assert_eq!(attempts, [3, 0]);
        host.sleep(120 * SECOND).await;
        assert_eq!(seen(&tried), ["a", "a", "a", "b"]);
        assert_eq!(client.queue_length("slow-orders").await.unwrap(), 0);
        assert_eq!(host.elapsed(), 181 * SECOND);
    });
}

// What a queue starts survives crashes after every commit, and the function is not cut off by them.
#[test]
fn queues_work_over_crashes_after_every_commit() {
    let (host, tried) = with_orders();
    run_with(host.crash_at_every_commit(), async |host| {
        let client = host.client();
        client.enqueue("orders", order("one", 1)).await.unwrap();
        host.sleep(2 * HOUR).await;
        let ended = client.get_status("one").await.unwrap().unwrap();
        assert_eq!(ended.output_as::<String>().unwrap(), "one");
        assert_eq!(seen(&tried).len(), 2);
    });
}

// A seed and triggers: the same again.
#[test]
fn a_seed_gives_the_same_deliveries_each_time() {
    let run = |seed| {
        let (host, tried) = with_orders();
        run_with(host.seed(seed), async |host| {
            for number in 0..20 {
                let order = order(&format!("order-{number}"), number % 4);
                host.client().enqueue("orders", &order).await.unwrap();
            }
            host.sleep(DAY).await;
            let began = seen(&tried)[0].1;
            let tried = seen(&tried).into_iter();
            tried.map(|(id, at)| (id, at - began)).collect::<Vec<_>>()
        })
    };
    for seed in 0..5 {
        assert_eq!(run(seed), run(seed));
    }
}

#[durable_client(timer("* * * * * *"))]
async fn every_second(_client: DurableClient, _timer: TimerInfo) {}

#[orchestrator]
async fn for_ever(ctx: OrchestrationContext) -> Result<()> {
    Ok(ctx.wait_for_external_event::<()>("never").await?)
}

// A test that waits for what never comes ends, however often a schedule fires.
#[test]
fn a_schedule_does_not_keep_a_test_from_ending() {
    let host = TestHost::builder().trigger::<every_second>();
    run_with(host, async |host| {
        let gave_up = host.run::<for_ever>(()).await.unwrap_err();
        assert!(
            matches!(&gave_up, ClientError::Standstill { .. })
                && gave_up.to_string().contains("run 50000 times"),
            "{gave_up}"
        );
    });
}

#[durable_client]
async fn by_hand(client: DurableClient) -> Result<u64> {
    Ok(client.queue_length("orders").await?)
}

#[durable_runtime::test]
async fn what_cannot_be_triggered_is_refused_at_once(host: TestHost) {
    assert_eq!(by_hand(host.client()).await.unwrap(), 0);
    let refused = |host: TestHostBuilder| match host.build() {
        Err(TestHostError::ClientFunction { message }) => message,
        other => panic!("{other:?}"),
    };
    let message = refused(TestHost::builder().trigger::<by_hand>());
    assert!(
        message.contains("neither a schedule nor a queue"),
        "{message}"
    );
    let message = refused(TestHost::builder().trigger::<nightly>());
    assert!(
        message.contains("\"nightly\"") && message.contains("TimerInfo"),
        "{message}"
    );
}

// Not one that a host has found by itself.
#[test]
fn a_function_is_triggered_without_discovery() {
    let fired = Seen::<TimerInfo>::default();
    let host = TestHost::builder()
        .without_discovery()
        .register::<report>()
        .trigger::<nightly>()
        .state(Arc::clone(&fired));
    run_with(host, async |host| {
        host.sleep(DAY).await;
        let report = host.client().get_status("report-2024-01-01").await;
        assert!(report.unwrap().is_some());
        assert_eq!(seen(&fired).len(), 1);
    });
}

#[durable_runtime::test]
async fn all_functions_are_triggered_together() {
    let (host, tried) = with_orders();
    let fired = Seen::<TimerInfo>::default();
    let host = host
        .all_triggers()
        .state(Arc::clone(&fired))
        .state(Seen::<String>::default());
    let host = host.build().unwrap();
    let client = host.client();
    client.enqueue("orders", order("one", 0)).await.unwrap();
    client.enqueue("slow-orders", "two").await.unwrap();
    host.sleep(2 * HOUR + SECOND).await;
    assert_eq!(seen(&tried).len(), 1);
    assert_eq!(client.queue_length("slow-orders").await.unwrap(), 0);
    // One of them is nightly, the other hourly and slow.
    assert_eq!(seen(&fired).len(), 2);
}

// Where the runtime began between two milliseconds, and beside another host.
#[tokio::test]
async fn due_times_are_exact_and_end_with_the_host() {
    tokio::time::sleep(std::time::Duration::from_micros(1_700)).await;
    let fired = Seen::<TimerInfo>::default();
    let start = || {
        let host = TestHost::builder()
            .trigger::<nightly>()
            .state(Arc::clone(&fired))
            .start_time(time("2024-01-01T01:59:55Z"));
        host.build().unwrap()
    };
    let first = start();
    let reported = async |host: &TestHost| {
        let report = host.client().get_status("report-2024-01-01").await;
        report.unwrap().map(|report| report.created_time)
    };
    first.sleep(6 * SECOND).await;
    let due = time("2024-01-01T02:00:00Z");
    assert_eq!(reported(&first).await, Some(due));
    let second = start();
    assert_eq!(reported(&second).await, None);
    second.sleep(6 * SECOND).await;
    assert_eq!(reported(&second).await, Some(due));
    assert_eq!(seen(&fired).len(), 2);
    drop((first, second));
    tokio::time::sleep(2 * DAY).await;
    assert_eq!(seen(&fired).len(), 2);
}

#[durable_client(queue("careful-orders"))]
async fn on_careful_order(client: DurableClient, id: String) -> Result<()> {
    match client.start_new::<report>(&*id).instance_id(&*id).await {
        Ok(_) | Err(ClientError::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

// Rule 41: a function that cannot be run twice is found out by a crash.
#[test]
fn a_crash_finds_out_a_function_that_cannot_be_repeated() {
    let (host, _) = with_orders();
    let host = host.trigger::<on_careful_order>().crash_after_commit(1);
    run_with(host, async |host| {
        let client = host.client();
        client.enqueue("orders", order("one", 0)).await.unwrap();
        host.sleep(60 * SECOND).await;
        let poison = client.peek_queue("orders-poison", 1).await.unwrap();
        let error = poison[0].error.as_deref().unwrap();
        assert!(error.contains("already"), "{error}");
    });
    let host = TestHost::builder()
        .trigger::<on_careful_order>()
        .crash_after_commit(1);
    run_with(host, async |host| {
        let client = host.client();
        client.enqueue("careful-orders", "one").await.unwrap();
        host.sleep(60 * SECOND).await;
        assert_eq!(client.queue_length("careful-orders").await.unwrap(), 0);
        let poison = client.queue_length("careful-orders-poison").await;
        assert_eq!(poison.unwrap(), 0);
    });
}
