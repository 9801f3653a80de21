//! What is not allowed inside of a critical section, and what such code is told.

use durable_runtime::prelude::*;
use durable_runtime::{Failure, TaskFailed};

use crate::bench::Bench;
use crate::support::{Log, log};

#[orchestrator]
async fn does_nothing(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

#[orchestrator]
async fn breaks_every_rule(ctx: OrchestrationContext) -> Result<Vec<(bool, String, String)>> {
    let mut broken: Vec<TaskFailed> = Vec::new();
    // None of these is more than a request, so the next is not nested.
    broken.push(ctx.lock([]).await.unwrap_err());
    let early = ctx.lock([log("a")]).start();
    broken.push(ctx.lock([log("b")]).await.unwrap_err());
    // While a section is only asked for, all else is allowed.
    ctx.call_sub_orchestrator::<does_nothing>(()).await?;
    ctx.call_entity::<()>(log("b"), "add", "before").await?;
    let guard = early.await?;
    broken.push(ctx.lock([log("b")]).await.unwrap_err());
    broken.push(ctx.lock([log("a")]).await.unwrap_err());
    let outside = ctx.call_entity::<()>(log("b"), "add", "never");
    broken.push(outside.await.unwrap_err());
    let outside = ctx.entity::<Log>("b").add("never".to_owned());
    broken.push(outside.await.unwrap_err());
    let outside = guard.entity::<Log>("b").add("never".to_owned());
    let outside = outside.retry(RetryPolicy::new(3, std::time::Duration::ZERO));
    broken.push(outside.await.unwrap_err());
    let first = guard
        .call_entity::<()>(log("a"), "add_slowly", "first")
        .start();
    // It does not go out later, when it would be allowed.
    let second = guard.call_entity::<()>(log("a"), "add", "never").start();
    first.await?;
    broken.push(second.await.unwrap_err());
    let child = ctx.call_sub_orchestrator::<does_nothing>(());
    broken.push(child.await.unwrap_err());
    let late = ctx.call_entity::<()>(log("b"), "add", "never").start();
    // These are allowed.
    ctx.signal_entity(log("b"), "add", "signal");
    guard.call_entity::<()>(log("a"), "add", "second").await?;
    drop(guard);
    broken.push(late.await.unwrap_err());
    ctx.call_sub_orchestrator::<does_nothing>(()).await?;
    ctx.call_entity::<()>(log("b"), "add", "after").await?;
    let told = broken.iter().map(|failed| {
        let kind = failed.error_type().to_owned();
        (failed.is_non_retriable(), kind, failed.message().to_owned())
    });
    Ok(told.collect())
}

#[tokio::test]
async fn what_breaks_a_rule_fails_and_says_which() {
    let bench = Bench::start().await;
    let told = bench.output::<breaks_every_rule>(()).await;
    let wanted = [
        "was given no entities",
        "cannot be nested, and this orchestration has one over @log@a or has asked for it",
        "cannot be nested",
        "cannot be nested",
        "\"@log@b\" is not locked, and inside a critical section only the entities that are locked \
         can be called (@log@a)",
        "not locked",
        "not locked",
        "has a call in flight: await that one",
        "an orchestrator cannot be called inside a critical section, here over @log@a",
        "not locked",
    ];
    for ((is_final, kind, message), wanted) in told.iter().zip(wanted) {
        assert!(*is_final, "{message}");
        assert_eq!(kind, Failure::LOCK, "{message}");
        assert!(message.contains(wanted), "{message}");
        assert!(message.ends_with(" [critical_section]"), "{message}");
    }
    assert_eq!(told.len(), wanted.len());
    bench.until_texts("a", &["first", "second"]).await;
    bench.until_texts("b", &["before", "signal", "after"]).await;
    bench.until_unlocked().await;
}

#[orchestrator]
async fn signals_inside(ctx: OrchestrationContext) -> Result<()> {
    let _guard = ctx.lock([log("a"), log("b")]).await?;
    ctx.signal_entity(log("b"), "add", "never");
    Ok(())
}

#[tokio::test]
async fn a_signal_to_a_locked_entity_fails_the_orchestration() {
    let bench = Bench::start().await;
    let failure = bench.failure::<signals_inside>(()).await;
    assert_eq!(failure.error_type(), Failure::LOCK);
    let message = failure.message();
    assert!(
        message.contains("\"@log@b\" is locked and cannot be signalled"),
        "{message}"
    );
    assert!(message.ends_with(" [critical_section]"), "{message}");
    bench.until_unlocked().await;
    assert!(bench.texts("b").await.is_empty());
}

#[orchestrator]
async fn locks_one(ctx: OrchestrationContext, (name, key): (String, String)) -> Result<()> {
    drop(
        ctx.lock([log("a"), EntityId::new(name, key), log("z")])
            .await?,
    );
    Ok(())
}

// What cannot be locked fails the request, and leaves nothing locked.
#[tokio::test]
async fn what_cannot_be_locked_fails_the_request() {
    let bench = Bench::start().await;
    let cases = [
        ("log", "a@b", "neither its name nor its key may contain '@'"),
        ("log", "a\n", "control characters"),
        ("Logs", "a", "did you mean \"Log\"?"),
    ];
    for (name, key, wanted) in cases {
        let input = (name.to_owned(), key.to_owned());
        let failure = bench.failure::<locks_one>(input).await;
        let message = failure.to_string();
        assert!(message.contains(wanted), "{message}");
        bench.until_unlocked().await;
    }
}
