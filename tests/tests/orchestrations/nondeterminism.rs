//! Code that does not repeat its history.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::host::HostOptions;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;

use crate::support::{Bench, LONG, count, counted, double, fails_first, failure_of, within};

static OTHER_ACTIVITY: AtomicBool = AtomicBool::new(false);
static FEWER_STEPS: AtomicBool = AtomicBool::new(false);
static MORE_STEPS: AtomicBool = AtomicBool::new(false);
static ENDS_EARLY: AtomicBool = AtomicBool::new(false);
static OTHER_KIND: AtomicBool = AtomicBool::new(false);

fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}

fn set(flag: &AtomicBool, value: bool) {
    flag.store(value, Ordering::SeqCst);
}

/// Lets go of what waits as soon as it waits.
fn evicting() -> HostOptions {
    HostOptions {
        idle_timeout: Duration::ZERO,
        ..HostOptions::default()
    }
}

/// Raises events until the instance has failed: at some time it is replayed.
async fn raise_until_failed(bench: &Bench, id: &str) -> Failure {
    let raise = async { while bench.client.raise_event(id, "tick", ()).await.is_ok() {} };
    within(raise).await;
    let status = bench.status(id).await;
    status.failure.expect("it has failed")
}

#[orchestrator]
async fn changes_an_activity(ctx: OrchestrationContext) -> Result<u32> {
    let first = ctx.call_activity::<double>(1).await?;
    if is_set(&OTHER_ACTIVITY) {
        ctx.call_activity::<counted>("other").await?;
    } else {
        ctx.call_activity::<double>(first).await?;
    }
    ctx.set_custom_status("waiting")?;
    loop {
        select! {
            _ = ctx.wait_for_external_event::<()>("end") => break,
            _ = ctx.wait_for_external_event::<()>("tick") => {}
        }
    }
    Ok(ctx.call_activity::<counted>("after the fix").await?)
}

// Rule 23: code that does something else than its history says fails, and says where and how; once
// mended, the instance can be rewound and goes on.
#[tokio::test]
async fn another_activity_is_noticed_and_can_be_mended() {
    let bench = Bench::unchecked(evicting()).await;
    let run = bench.begin_run::<changes_an_activity>(()).await;
    bench.reached(run.id(), "waiting").await;
    set(&OTHER_ACTIVITY, true);
    let failure = raise_until_failed(&bench, run.id()).await;
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    let message = failure.message();
    for part in [
        "\"changes_an_activity\"",
        "step 2",
        "the history has call #1 of activity \"double\"",
        "the code made call #1 of activity \"counted\"",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    set(&OTHER_ACTIVITY, false);
    within(bench.client.rewind(run.id(), "mended"))
        .await
        .unwrap();
    bench.raise(run.id(), "end", ()).await;
    let ended = within(bench.client.wait_for_completion(run.id(), LONG)).await;
    assert_eq!(ended.unwrap().output, Some(1.into()));
    assert_eq!(bench.probe.calls("other"), 0);
}

#[orchestrator]
async fn changes_its_steps(ctx: OrchestrationContext) -> Result<u32> {
    let mut tasks = vec![ctx.call_activity::<double>(1).start()];
    if !is_set(&FEWER_STEPS) {
        tasks.push(ctx.call_activity::<double>(2).start());
    }
    if is_set(&MORE_STEPS) {
        tasks.push(ctx.call_activity::<double>(3).start());
    }
    if is_set(&ENDS_EARLY) {
        return Ok(1);
    }
    when_all(tasks).await?;
    if is_set(&OTHER_KIND) {
        ctx.sleep(LONG).await;
    } else {
        ctx.call_activity::<double>(4).await?;
    }
    ctx.set_custom_status("waiting")?;
    #[allow_nondeterminism(unbounded_loop, reason = "the test ends it")]
    loop {
        ctx.wait_for_external_event::<()>("tick").await?;
    }
}

async fn is_noticed(flag: &AtomicBool, history: &str, code: &str) {
    let bench = Bench::unchecked(HostOptions::default()).await;
    let run = bench.begin_run::<changes_its_steps>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "waiting").await;
    let down = bench.stop().await;
    set(flag, true);
    let bench = down.start().await;
    let failure = raise_until_failed(&bench, &id).await;
    set(flag, false);
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    let message = failure.message();
    let wanted = format!("{history}, the code {code}.");
    assert!(message.contains(&wanted), "{message}");
    for part in [
        " is not deterministic at step ",
        "the history has",
        "[replay]",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

// Rule 23: fewer steps, more steps, an early end and another kind of step are noticed as well.
#[tokio::test]
async fn every_other_change_is_noticed() {
    let second = "call #1 of activity \"double\"";
    let nothing_more = "did nothing more in this step";
    is_noticed(&FEWER_STEPS, second, nothing_more).await;
    let third = "call #2 of activity \"double\"";
    let made_third = format!("made {third}");
    is_noticed(&MORE_STEPS, "nothing more in this step", &made_third).await;
    is_noticed(&ENDS_EARLY, " further steps", "returned 1").await;
    is_noticed(&OTHER_KIND, third, "made timer #2").await;
}

static ENDS_IN_ITS_STEP: AtomicBool = AtomicBool::new(false);
static GOES_ON_WAITING: AtomicBool = AtomicBool::new(false);

#[orchestrator]
async fn waits_or_ends(ctx: OrchestrationContext) -> Result<()> {
    ctx.set_custom_status("waiting")?;
    if is_set(&ENDS_IN_ITS_STEP) {
        return Ok(());
    }
    #[allow_nondeterminism(unbounded_loop, reason = "the test ends it")]
    loop {
        ctx.wait_for_external_event::<()>("tick").await?;
    }
}

// Rule 23: the last step of the history did not end the execution; code that ends there now differs.
#[tokio::test]
async fn an_end_that_is_not_in_the_history_is_noticed() {
    let bench = Bench::unchecked(HostOptions::default()).await;
    let run = bench.begin_run::<waits_or_ends>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "waiting").await;
    let down = bench.stop().await;
    set(&ENDS_IN_ITS_STEP, true);
    let bench = down.start().await;
    let failure = raise_until_failed(&bench, &id).await;
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    let wanted = "at step 1: the history has no end of it, the code returned null.";
    assert!(failure.message().contains(wanted), "{failure}");
}

#[orchestrator]
async fn fails_after_a_call(ctx: OrchestrationContext) -> Result<u32> {
    let looked_at_later = ctx.call_activity::<fails_first>(("later".to_owned(), 1));
    let looked_at_later = looked_at_later.start();
    ctx.wait_for_external_event::<()>("tick").await?;
    let call = ctx.call_activity::<double>(1).start();
    if is_set(&GOES_ON_WAITING) {
        call.await?;
        looked_at_later.await?;
        return Ok(7);
    }
    Err(Error::msg("not mended"))
}

// Rules 8 and 23: after a rewind the step that failed stands without its end. Code that ends it
// again fails as it did, and mended code goes on from it. That it ends there is no reason to keep the
// failure of another call, which is run again.
#[tokio::test]
async fn a_rewound_step_may_end_again_or_go_on() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<fails_after_a_call>(()).await;
    let id = run.id().to_owned();
    let failed = |event: &EventKind| matches!(event, EventKind::TaskFailed { .. });
    let has_failed = async { while count(&bench.history(&id).await, failed) == 0 {} };
    within(has_failed).await;
    bench.raise(&id, "tick", ()).await;
    assert_eq!(
        failure_of(within(run.output()).await).message(),
        "not mended"
    );
    within(bench.client.rewind(&id, "for nothing"))
        .await
        .unwrap();
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    let failure = ended.unwrap().failure.unwrap();
    assert_eq!(failure.message(), "not mended");
    bench.probe.called("later", 2).await;
    set(&GOES_ON_WAITING, true);
    within(bench.client.rewind(&id, "mended")).await.unwrap();
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some(7.into()));
}

static OTHER_DATA: AtomicBool = AtomicBool::new(false);

#[orchestrator]
async fn changes_data(ctx: OrchestrationContext) -> Result<i64> {
    let input = if is_set(&OTHER_DATA) { 10 } else { 1 };
    let pause = if is_set(&OTHER_DATA) {
        LONG
    } else {
        Duration::ZERO
    };
    let doubled = ctx.call_activity::<double>(input).await?;
    ctx.sleep(pause).await;
    ctx.set_custom_status("waiting")?;
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(doubled)
}

// Rule 23: what a call was given is not compared when code that may have changed is replayed: the
// recorded call counts.
#[tokio::test]
async fn another_input_or_delay_is_no_difference() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<changes_data>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "waiting").await;
    let down = bench.stop().await;
    set(&OTHER_DATA, true);
    let bench = down.start().await;
    bench.raise(&id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some(2.into()));
}

#[orchestrator]
async fn fails_by_itself(ctx: OrchestrationContext) -> Result<()> {
    ctx.wait_for_external_event::<()>("tick").await?;
    Err(Error::msg("by itself"))
}

// Rule 23: a failure of the code itself is no difference.
#[tokio::test]
async fn a_failure_after_a_replay_is_its_own() {
    let bench = Bench::with(evicting()).await;
    let run = bench.begin_run::<fails_by_itself>(()).await;
    bench.raise(run.id(), "tick", ()).await;
    let failure = failure_of(within(run.output()).await);
    assert_eq!(failure.message(), "by itself");
}
