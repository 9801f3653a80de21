//! What an orchestrator must not await: it fails instead of hanging.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use durable_runtime::Failure;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;

use crate::support::{Bench, count, counted, double, failure_of, millis, within};

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
    let why = match what {
        "sleep" => "asked for a tokio runtime",
        "oneshot" => "counts on being woken from outside",
        "yields" => "was woken from outside while it ran",
        _ => "while no durable task is pending",
    };
    let parts = [
        "not a durable task",
        why,
        " is not deterministic at step ",
        "the history has ",
        "Likely causes: ",
    ];
    for part in parts {
        assert!(message.contains(part), "{what}: {part}: {message}");
    }
    assert!(message.ends_with("[await]"), "{what}: {message}");
}

// Awaiting what is not durable fails the orchestration, instead of leaving it there for ever.
#[tokio::test]
async fn awaiting_what_is_not_durable_fails() {
    let bench = Bench::start().await;
    for what in ["sleep", "oneshot", "never", "yields"] {
        let failure = bench.failure::<awaits_directly>(what).await;
        is_refused(&failure, what);
        // What the history has when the step begins, and what the code did.
        let place =
            "at step 2: the history has 1 earlier step and then TaskCompleted #0, the code ";
        assert!(failure.message().contains(place), "{failure}");
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

#[orchestrator]
async fn calls_and_awaits(ctx: OrchestrationContext) -> Result<()> {
    let _one = ctx.call_activity::<counted>("lost").start();
    let _other = ctx.sleep(millis(1)).start();
    #[allow_nondeterminism(await, reason = "it is to be refused when it runs")]
    hidden("never").await;
    Ok(())
}

// The message tells what the code had done in the step, none of which takes place: mended code
// takes the step anew.
#[tokio::test]
async fn a_step_that_is_refused_does_nothing() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<calls_and_awaits>(()).await;
    let id = run.id().to_owned();
    let failure = failure_of(within(run.output()).await);
    is_refused(&failure, "never");
    let code = "the history has no earlier step and then ExecutionStarted, the code made 2 calls, \
                the last of them timer #1, and then awaits";
    assert!(failure.message().contains(code), "{failure}");
    let history = bench.history(&id).await;
    assert_eq!(count(&history, EventKind::is_action), 0);
    assert_eq!(bench.probe.calls("lost"), 0);
}

#[orchestrator]
async fn waits_for_nothing_at_last(ctx: OrchestrationContext) -> Result<()> {
    let mut unseen = Some(ctx.wait_for_external_event::<()>("a").start());
    let mut seen = Box::pin(async {
        ctx.wait_for_external_event::<()>("a").await?;
        #[allow_nondeterminism(await, reason = "it is to be refused when it runs")]
        hidden("never").await;
        Ok::<_, Error>(())
    });
    let mut tick = ctx.wait_for_external_event::<()>("tick");
    #[allow_nondeterminism(await, reason = "it polls durable tasks only")]
    poll_fn(|cx| {
        let polled = seen.as_mut().poll(cx);
        if unseen.is_some() && Pin::new(&mut tick).poll(cx).is_ready() {
            unseen = None;
        }
        polled
    })
    .await
}

// Code that has waited for something durable and in the same step goes on to wait for nothing fails
// as well: an event that a dropped wait had not seen moves on, and the code is polled again.
#[tokio::test]
async fn the_last_poll_of_a_step_decides() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<waits_for_nothing_at_last>(()).await;
    bench.raise(run.id(), "a", ()).await;
    bench.raise(run.id(), "tick", ()).await;
    let failure = failure_of(within(run.output()).await);
    is_refused(&failure, "never");
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
    is_refused(&failure, "sleep");
    assert!(failure.message().contains("\"spawns\""), "{failure}");
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
    is_refused(&failure, "never");
    assert_eq!(bench.output::<goes_on>(()).await, 1);
}
