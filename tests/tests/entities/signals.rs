//! Signals: from orchestrations, from entities and from clients.

use std::time::Duration;

use chrono::Utc;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;
use durable_runtime::testing::{TestHost, run_seed, run_with};

use crate::bench::{Bench, until, within};
use crate::hosts::DAY;
use crate::support::{Counter, Notes, builder};

const MILLISECOND: Duration = Duration::from_millis(1);

/// A millisecond less than so many days.
fn almost(days: u64) -> Duration {
    Duration::from_millis(days * 86_400_000 - 1)
}

/// Runs a test in virtual time: with a host that keeps everything in memory, and with one that crashes after
/// every commit.
fn calm_and_crashing(test: impl AsyncFn(TestHost)) {
    crate::hosts::calm_and_crashing(TestHost::builder, |host| {
        run_with(host, async |host| test(host).await);
    });
}

#[orchestrator]
pub(crate) async fn notes_its_start(ctx: OrchestrationContext, to: String) -> Result<()> {
    ctx.signal::<Notes>(to).add("started".to_owned());
    Ok(())
}

#[orchestrator]
async fn signals_in_order(
    ctx: OrchestrationContext,
    (key, pause): (String, Duration),
) -> Result<()> {
    for number in 0..100 {
        ctx.signal::<Notes>(key.as_str()).add(number.to_string());
        if number % 10 == 0 {
            ctx.sleep(pause).await;
        }
    }
    Ok(())
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

// Rule 35: signals between two parties arrive in order, once.
#[tokio::test]
async fn signals_of_an_orchestration_arrive_in_order() {
    let bench = Bench::start().await;
    for key in ["a", "b", "c", "d"] {
        let input = (key.to_owned(), MILLISECOND);
        bench.output::<signals_in_order>(input).await;
    }
    for key in ["a", "b", "c", "d"] {
        let is_complete =
            |notes: Option<&Notes>| notes.is_some_and(|notes| notes.texts.len() >= 100);
        let notes = bench.until(Notes::id(key), is_complete).await.unwrap();
        assert_eq!(notes.texts, numbers(100));
    }
}

// Rules 23 and 35: also when they are sent over days, and whatever comes first of what happens at one time.
#[test]
fn signals_that_are_sent_over_days_arrive_in_order() {
    let test = async |host: TestHost| {
        let input = ("a".to_owned(), DAY);
        host.run::<signals_in_order>(input).await.unwrap();
        assert_eq!(host.elapsed(), 10 * DAY);
        host.sleep(MILLISECOND).await;
        assert_eq!(noted(&host, "a").await, numbers(100));
    };
    calm_and_crashing(test);
    for seed in 0..5 {
        run_seed(seed, async |host| test(host).await);
    }
}

// Rule 35, for a client: each waits for the one before, or they are sent at once.
#[tokio::test]
async fn signals_of_a_client_arrive_in_order() {
    let bench = Bench::start().await;
    let notes = bench.client.signal::<Notes>("a");
    let sent = numbers(200).into_iter().map(|number| notes.add(number));
    for sent in futures_util::future::join_all(sent).await {
        sent.unwrap();
    }
    let state: Notes = bench.state(Notes::id("a")).await.unwrap();
    assert_eq!(state.texts, numbers(200));
}

// Rule 37: what a client has been told is stored, another client reads.
#[tokio::test]
async fn a_signal_is_stored_when_the_client_is_told() {
    let bench = Bench::start().await;
    let counter = bench.client.signal::<Counter>("a");
    for amount in 1..=10 {
        within(counter.add(amount)).await.unwrap();
    }
    within(bench.client.signal_entity(Counter::id("a"), "add", 1))
        .await
        .unwrap();
    let bench = bench.restart().await;
    let state: Counter = bench.state(Counter::id("a")).await.unwrap();
    assert_eq!(state.value, 56);
}

// Rule 35: a delayed signal is never early, and outside of the order; it survives a restart.
#[tokio::test]
async fn a_delayed_signal_outlives_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let storage = || Sqlite::open(directory.path().join("hub.db")).unwrap();
    let start = async || within(builder().storage(storage()).start()).await.unwrap();
    let host = start().await;
    let client = host.client();
    let notes = || client.signal::<Notes>("a");
    let time = Utc::now() + Duration::from_millis(50);
    within(notes().at(time).add("late".to_owned()))
        .await
        .unwrap();
    within(notes().add("soon".to_owned())).await.unwrap();
    within(host.shutdown()).await.unwrap();
    let host = start().await;
    let client = host.client();
    let both = until(async || {
        let state = client.read_entity_state::<Notes>(Notes::id("a")).await;
        let texts = state.unwrap().unwrap().texts;
        (texts.len() == 2).then_some(texts)
    });
    assert_eq!(both.await, ["soon", "late"]);
    assert!(Utc::now() >= time);
}

/// What the entity has noted, on a host in virtual time.
async fn noted(host: &TestHost, key: &str) -> Vec<String> {
    let client = host.client();
    let state = client.read_entity_state::<Notes>(Notes::id(key));
    let state = state.await.unwrap();
    state.map(|notes| notes.texts).unwrap_or_default()
}

// Rule 35: a delayed signal comes when it is due, in whatever order they were sent.
#[test]
fn delayed_signals_come_when_they_are_due() {
    calm_and_crashing(async |host| {
        let began = host.now();
        let client = host.client();
        for (text, days) in [("c", 30), ("a", 10), ("b", 20)] {
            let notes = client.signal::<Notes>("a").at(began + days * DAY);
            notes.add(text.to_owned()).await.unwrap();
        }
        let notes = client.signal::<Notes>("a");
        notes.add("soon".to_owned()).await.unwrap();
        let expected = ["soon", "a", "b", "c"];
        for (days, count) in [(10, 1), (10, 2), (10, 3)] {
            host.sleep(almost(days)).await;
            assert_eq!(noted(&host, "a").await, expected[..count]);
            host.sleep(MILLISECOND).await;
        }
        host.sleep(MILLISECOND).await;
        assert_eq!(noted(&host, "a").await, expected);
    });
}

#[orchestrator]
async fn signals_later(ctx: OrchestrationContext) -> Result<()> {
    let time = ctx.current_utc_datetime() + 30 * DAY;
    ctx.signal::<Notes>("later").at(time).add("late".to_owned());
    ctx.signal_entity(Notes::id("later"), "add", "soon");
    Ok(())
}

// Rule 35, from an orchestration, which need not be there any more.
#[test]
fn an_orchestration_signals_later() {
    calm_and_crashing(async |host| {
        host.run::<signals_later>(()).await.unwrap();
        host.sleep(almost(30)).await;
        assert_eq!(noted(&host, "later").await, ["soon"]);
        host.sleep(2 * MILLISECOND).await;
        assert_eq!(noted(&host, "later").await, ["soon", "late"]);
    });
}

// An entity signals others and starts orchestrations.
#[tokio::test]
async fn an_entity_signals_and_starts() {
    let bench = Bench::start().await;
    let forward = bench.client.signal::<Notes>("a");
    within(forward.forward(("b".to_owned(), false)))
        .await
        .unwrap();
    let has_both = |notes: Option<&Notes>| notes.is_some_and(|notes| notes.texts.len() == 2);
    let state = bench.until(Notes::id("b"), has_both).await.unwrap();
    assert_eq!(state.texts, ["from @notes@a", "started"]);
}

// Rule 34: what a failed operation sent and started does not happen.
#[tokio::test]
async fn a_failed_operation_signals_and_starts_nothing() {
    let bench = Bench::start().await;
    let forward = bench.client.signal::<Notes>("a");
    within(forward.forward(("b".to_owned(), true)))
        .await
        .unwrap();
    within(forward.forward(("c".to_owned(), false)))
        .await
        .unwrap();
    let has_both = |notes: Option<&Notes>| notes.is_some_and(|notes| notes.texts.len() == 2);
    bench.until(Notes::id("c"), has_both).await;
    let state: Notes = bench.state(Notes::id("a")).await.unwrap();
    assert_eq!(state.texts, ["to c"]);
    assert!(bench.state::<Notes>(Notes::id("b")).await.is_none());
    let started = until(async || {
        let query = durable_runtime::client::InstanceQuery::new().name("notes_its_start");
        let page = bench.client.list_instances(query).await.unwrap();
        (!page.instances.is_empty()).then_some(page.instances.len())
    })
    .await;
    assert_eq!(started, 1);
}
