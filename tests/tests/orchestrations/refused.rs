//! What an orchestrator must not await: it fails instead of hanging.

use std::future::Future;
use std::pin::Pin;

use durable_runtime::Failure;
use durable_runtime::prelude::*;

use crate::support::{Bench, counted, double, millis};

/// What is awaited is hidden from the checks at compile time.
type Hidden<T> = Pin<Box<dyn Future<Output = T>>>;

fn tokio_sleep() -> Hidden<()> {
    Box::pin(async {
        tokio::time::sleep(millis(1)).await;
    })
}

fn oneshot() -> Hidden<()> {
    Box::pin(async {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let _waits = receiver.await;
        drop(sender);
    })
}

fn never() -> Hidden<()> {
    Box::pin(std::future::pending())
}

fn yields() -> Hidden<()> {
    Box::pin(tokio::task::yield_now())
}

fn hidden(what: &str) -> Hidden<()> {
    match what {
        "oneshot" => oneshot(),
        "never" => never(),
        "yields" => yields(),
        _ => tokio_sleep(),
    }
}

#[orchestrator]
async fn awaits_directly(ctx: OrchestrationContext, what: String) -> Result<()> {
    ctx.call_activity::<double>(1).await?;
    #[allow_nondeterminism(await, reason = "it is to be refused when it runs")]
    hidden(&what).await;
    Ok(())
}

#[orchestrator]
async fn awaits_beside_a_task(ctx: OrchestrationContext, what: String) -> Result<()> {
    #[allow_nondeterminism(await, reason = "it is to be refused when it runs")]
    let (_, ()) = join!(ctx.wait_for_external_event::<()>("never"), hidden(&what));
    Ok(())
}

#[orchestrator]
async fn awaits_in_when_all(_ctx: OrchestrationContext, what: String) -> Result<()> {
    #[allow_nondeterminism(await, reason = "it is to be refused when it runs")]
    when_all([hidden(&what), hidden(&what)]).await?;
    Ok(())
}

fn is_refused(failure: &Failure, what: &str) {
    let kind = failure.error_type();
    assert_eq!(kind, Failure::NON_DETERMINISTIC, "{what}: {failure}");
    let message = failure.message();
    assert!(message.contains("not a durable task"), "{what}: {message}");
}

// Awaiting what is not durable fails the orchestration, instead of leaving it there for ever.
#[tokio::test]
async fn awaiting_what_is_not_durable_fails() {
    let bench = Bench::start().await;
    for what in ["sleep", "oneshot", "never", "yields"] {
        is_refused(&bench.failure::<awaits_directly>(what).await, what);
    }
}

// The same beside a durable task that is pending.
#[tokio::test]
async fn awaiting_what_is_not_durable_beside_a_task_fails() {
    let bench = Bench::start().await;
    for what in ["sleep", "oneshot", "yields"] {
        is_refused(&bench.failure::<awaits_beside_a_task>(what).await, what);
    }
}

// The same within a combinator.
#[tokio::test]
async fn awaiting_what_is_not_durable_in_a_combinator_fails() {
    let bench = Bench::start().await;
    for what in ["sleep", "oneshot", "never"] {
        is_refused(&bench.failure::<awaits_in_when_all>(what).await, what);
    }
}

fn spawn_a_task() {
    drop(tokio::spawn(async {}));
}

#[orchestrator]
async fn spawns(_ctx: OrchestrationContext) -> Result<()> {
    spawn_a_task();
    Ok(())
}

// `tokio::spawn` inside an orchestrator fails it: there is no runtime on its thread.
#[tokio::test]
async fn spawning_fails() {
    let bench = Bench::start().await;
    let failure = bench.failure::<spawns>(()).await;
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    assert!(failure.message().contains("spawns"), "{failure}");
    let cause = failure.inner().unwrap();
    assert_eq!(cause.error_type(), Failure::PANIC);
    assert!(cause.message().contains("reactor"), "{cause}");
}

/// Panics when it is dropped, unless its thread is panicking already.
struct Explodes;

impl Drop for Explodes {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "exploded");
    }
}

#[orchestrator]
async fn explodes_while_waiting(_ctx: OrchestrationContext) -> Result<()> {
    let _explodes = Explodes;
    #[allow_nondeterminism(await, reason = "it is never run again")]
    hidden("never").await;
    Ok(())
}

#[orchestrator]
async fn goes_on(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_activity::<counted>("goes on").await?)
}

// Rule 18: a value that panics when it is dropped takes nothing else down.
#[tokio::test]
async fn a_panic_in_drop_takes_nothing_down() {
    let options = durable_runtime::host::HostOptions {
        partition_count: 1,
        ..Default::default()
    };
    let bench = Bench::with(options).await;
    let failure = bench.failure::<explodes_while_waiting>(()).await;
    is_refused(&failure, "a value that explodes");
    assert_eq!(bench.output::<goes_on>(()).await, 1);
}
