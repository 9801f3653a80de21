//! Signals: from orchestrations, from entities and from clients.

use std::time::Duration;

use chrono::Utc;
use durable_runtime::prelude::*;

use crate::bench::{Bench, until, within};
use crate::support::{Counter, Notes};

#[orchestrator]
pub(crate) async fn notes_its_start(ctx: OrchestrationContext, to: String) -> Result<()> {
    ctx.signal::<Notes>(to).add("started".to_owned());
    Ok(())
}

#[orchestrator]
async fn signals_in_order(ctx: OrchestrationContext, key: String) -> Result<()> {
    for number in 0..100 {
        ctx.signal::<Notes>(key.as_str()).add(number.to_string());
        if number % 10 == 0 {
            ctx.sleep(Duration::from_millis(1)).await;
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
        bench.output::<signals_in_order>(key.to_owned()).await;
    }
    for key in ["a", "b", "c", "d"] {
        let is_complete =
            |notes: Option<&Notes>| notes.is_some_and(|notes| notes.texts.len() >= 100);
        let notes = bench.until(Notes::id(key), is_complete).await.unwrap();
        assert_eq!(notes.texts, numbers(100));
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
async fn a_delayed_signal_is_not_early() {
    let bench = Bench::start().await;
    let notes = || bench.client.signal::<Notes>("a");
    let time = Utc::now() + Duration::from_millis(300);
    within(notes().at(time).add("late".to_owned()))
        .await
        .unwrap();
    within(notes().add("soon".to_owned())).await.unwrap();
    let state: Notes = bench.state(Notes::id("a")).await.unwrap();
    assert_eq!(state.texts, ["soon"]);
    let bench = bench.restart().await;
    let has_both = |notes: Option<&Notes>| notes.is_some_and(|notes| notes.texts.len() == 2);
    let state = bench.until(Notes::id("a"), has_both).await.unwrap();
    assert!(Utc::now() >= time);
    assert_eq!(state.texts, ["soon", "late"]);
}

#[orchestrator]
async fn signals_later(ctx: OrchestrationContext) -> Result<()> {
    let time = ctx.current_utc_datetime() + Duration::from_millis(50);
    ctx.signal::<Notes>("later").at(time).add("late".to_owned());
    ctx.signal_entity(Notes::id("later"), "add", "soon");
    Ok(())
}

// Rule 35, from an orchestration.
#[tokio::test]
async fn an_orchestration_signals_later() {
    let bench = Bench::start().await;
    bench.output::<signals_later>(()).await;
    let has_both = |notes: Option<&Notes>| notes.is_some_and(|notes| notes.texts.len() == 2);
    let state = bench.until(Notes::id("later"), has_both).await.unwrap();
    assert_eq!(state.texts, ["soon", "late"]);
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
