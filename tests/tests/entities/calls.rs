//! Calls of entities by orchestrations.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use durable_runtime::{Failure, TaskFailed};

use crate::bench::{Bench, LONG, within};
use crate::support::{ADDS_IN, Counter, Greeting, Overdrawn};

#[orchestrator]
async fn counts(ctx: OrchestrationContext, (key, times): (String, i64)) -> Result<Vec<i64>> {
    let counter = ctx.entity::<Counter>(key.as_str());
    let mut seen = Vec::new();
    for amount in 1..=times {
        counter.add(amount).await?;
        seen.push(counter.get().await?);
    }
    Ok(seen)
}

// Rule 33: the operations of an entity run one at a time, and their results reach the caller.
#[tokio::test]
async fn an_orchestration_calls_an_entity() {
    let bench = Bench::start().await;
    let seen = bench.output::<counts>(("a".to_owned(), 5i64)).await;
    assert_eq!(seen, [1, 3, 6, 10, 15]);
    let state: Counter = bench.state(Counter::id("a")).await.unwrap();
    assert_eq!(state.value, 15);
}

#[orchestrator]
async fn compares_names(ctx: OrchestrationContext) -> Result<(i64, i64, i64)> {
    ctx.entity::<Counter>("Key").add(1).await?;
    let add = EntityId::new("COUNTER", "Key");
    ctx.call_entity::<()>(add, "ADD", 2).await?;
    ctx.call_entity::<()>(EntityId::new("counter", "key"), "add", 10)
        .await?;
    let upper = ctx.entity::<Counter>("Key").get().await?;
    let lower = ctx.entity::<Counter>("key").get().await?;
    let untyped: i64 = ctx
        .call_entity(EntityId::new("Counter", "Key"), "Get", ())
        .await?;
    Ok((upper, lower, untyped))
}

// Rule 33: the name of an entity without regard to case, its key with.
#[tokio::test]
async fn names_are_compared_without_regard_to_case_and_keys_with() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<compares_names>(()).await, (3, 10, 3));
    assert_eq!(EntityId::new("Counter", "K").to_string(), "@counter@K");
}

#[orchestrator]
async fn adds_slowly(ctx: OrchestrationContext, key: String) -> Result<BTreeSet<i64>> {
    let calls = (0..20).map(|_| ctx.entity::<Counter>(key.as_str()).add_slowly(1));
    Ok(when_all(calls).await?.into_iter().collect())
}

// Rule 33, for async operations too: none begins before the one before it has ended.
#[durable_runtime::test(seeds = 5)]
async fn operations_run_one_at_a_time(host: TestHost) {
    let (one, other) = (host.run::<adds_slowly>("a"), host.run::<adds_slowly>("a"));
    let (one, other) = tokio::join!(one, other);
    let all: BTreeSet<_> = one.unwrap().union(&other.unwrap()).copied().collect();
    assert_eq!(all, (1..=40).collect());
    assert_eq!(host.elapsed(), 40 * ADDS_IN);
}

#[orchestrator]
async fn overdraws(ctx: OrchestrationContext) -> Result<(Overdrawn, String, String)> {
    let account = ctx.entity::<Counter>("overdrawn");
    account.add(10).await?;
    let failed = account.withdraw(25).await.unwrap_err();
    let details = failed.details().expect("the error is serializable");
    assert!(failed.is::<Overdrawn>());
    let panicked = account.panics().await.unwrap_err();
    assert_eq!(account.get().await?, 10);
    Ok((
        details,
        failed.message().to_owned(),
        panicked.error_type().to_owned(),
    ))
}

// Rule 31: what an operation fails with reaches its caller whole. Rule 34: its change is undone.
#[tokio::test]
async fn a_failure_reaches_the_caller_whole() {
    let bench = Bench::start().await;
    let (details, message, panic) = bench.output::<overdraws>(()).await;
    assert_eq!(details, Overdrawn { by: 15 });
    assert_eq!(message, "overdrawn by 15");
    assert_eq!(panic, Failure::PANIC);
}

#[orchestrator]
async fn calls_what_is_not_there(ctx: OrchestrationContext) -> Result<Vec<(bool, String)>> {
    let failures: Vec<TaskFailed> = vec![
        ctx.call_entity::<()>(EntityId::new("Countr", "a"), "add", 1)
            .await
            .unwrap_err(),
        ctx.call_entity::<()>(Counter::id("a"), "ad", 1)
            .await
            .unwrap_err(),
        ctx.call_entity::<()>(Counter::id("a"), "add", "text")
            .await
            .unwrap_err(),
        ctx.call_entity::<()>(Counter::id("a@b"), "add", 1)
            .await
            .unwrap_err(),
        ctx.call_entity::<()>(Counter::id("a\n"), "add", 1)
            .await
            .unwrap_err(),
    ];
    let told = failures.iter();
    Ok(told
        .map(|failed| (failed.is_non_retriable(), failed.message().to_owned()))
        .collect())
}

// Rule 17, and bad input: the call fails, is not retried, and says what is near.
#[tokio::test]
async fn what_is_not_there_fails_the_call() {
    let bench = Bench::start().await;
    let failures = bench.output::<calls_what_is_not_there>(()).await;
    let wanted = [
        "did you mean \"Counter\"?",
        "did you mean \"add\"?",
        "the input of operation \"add\"",
        "neither its name nor its key may contain '@'",
        "control characters",
    ];
    for ((is_final, message), wanted) in failures.iter().zip(wanted) {
        assert!(is_final, "{message}");
        assert!(message.contains(wanted), "{message}");
    }
    assert_eq!(failures.len(), wanted.len());
    assert!(bench.state::<Counter>(Counter::id("a")).await.is_none());
}

#[orchestrator]
async fn is_greeted(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.entity::<Counter>("a").greet("Ada".to_owned()).await?)
}

// A state of the host is injected into operations.
#[tokio::test]
async fn a_state_of_the_host_is_injected() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<is_greeted>(()).await, "hello Ada");
}

#[orchestrator]
async fn deletes(ctx: OrchestrationContext) -> Result<Vec<bool>> {
    let counter = ctx.entity::<Counter>("deleted");
    let mut is_new = vec![counter.is_new().await?, counter.is_new().await?];
    counter.forget().await?;
    is_new.push(counter.is_new().await?);
    ctx.call_entity::<()>(Counter::id("deleted"), "delete", ())
        .await?;
    is_new.push(counter.is_new().await?);
    ctx.call_entity::<()>(Counter::id("deleted"), "Delete", ())
        .await?;
    Ok(is_new)
}

// Rule 37: a deleted entity reads as absent; `delete` is an operation of every entity.
#[tokio::test]
async fn a_deleted_entity_is_absent() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<deletes>(()).await, [true, false, true, true]);
    assert!(
        bench
            .state::<Counter>(Counter::id("deleted"))
            .await
            .is_none()
    );
}

#[orchestrator]
async fn adds_around_a_wait(ctx: OrchestrationContext) -> Result<i64> {
    let counter = ctx.entity::<Counter>("restarted");
    counter.add(1).await?;
    ctx.set_custom_status("waiting")?;
    ctx.wait_for_external_event::<()>("go").await?;
    counter.add(1).await?;
    Ok(counter.get().await?)
}

// Rule 23: calls of entities are replayed, and not made again.
#[tokio::test]
async fn calls_are_replayed() {
    let bench = Bench::start().await;
    let start = bench.client.start_new::<adds_around_a_wait>(());
    let run = within(start.instance_id("around")).await.unwrap();
    crate::bench::until(async || {
        let status = run.status().await.unwrap();
        status.custom_status.map(drop)
    })
    .await;
    drop(run);
    let bench = bench.restart().await;
    within(bench.client.raise_event("around", "go", ()))
        .await
        .unwrap();
    let ended = within(bench.client.wait_for_completion("around", LONG)).await;
    assert_eq!(ended.unwrap().output_as::<i64>().unwrap(), 2);
    let status = bench.client.get_status("around").with_history();
    let history = within(status).await.unwrap().unwrap().history.unwrap();
    let calls = history.iter();
    let calls = calls.filter(|event| matches!(event.kind, EventKind::EntityCalled { .. }));
    assert_eq!(calls.count(), 3);
}

#[activity]
async fn fails_at_first(State(greeting): State<Greeting>) -> Result<()> {
    let is_first = !greeting.1.swap(true, Ordering::SeqCst);
    if is_first {
        return Err(Error::msg("not yet"));
    }
    Ok(())
}

#[orchestrator]
async fn fails_meanwhile(ctx: OrchestrationContext) -> Result<i64> {
    let call = ctx.entity::<Counter>("meanwhile").add_slowly(1).start();
    ctx.call_activity::<fails_at_first>(()).await?;
    Ok(call.await?)
}

// Rule 8: a call that was answered after its caller had failed has its answer after a rewind.
#[tokio::test]
async fn an_answer_that_comes_too_late_is_there_after_a_rewind() {
    let bench = Bench::start().await;
    let start = bench.client.start_new::<fails_meanwhile>(());
    let run = within(start.instance_id("meanwhile")).await.unwrap();
    within(run.output()).await.unwrap_err();
    let is_there = |counter: Option<&Counter>| counter.is_some_and(|counter| counter.value == 1);
    bench.until(Counter::id("meanwhile"), is_there).await;
    within(bench.client.rewind("meanwhile", "again"))
        .await
        .unwrap();
    let ended = within(bench.client.wait_for_completion("meanwhile", LONG)).await;
    assert_eq!(ended.unwrap().output_as::<i64>().unwrap(), 1);
}
