//! Calls: when they are scheduled, their time limits, and what becomes of those not awaited.

use durable_runtime::Failure;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;

use crate::support::{Bench, LONG, Probe, count, counted, gated, within};
use crate::virtual_time::{DAY, calm_and_crashing};

#[orchestrator]
async fn starts_first_awaits_later(ctx: OrchestrationContext) -> Result<(String, String)> {
    let first = ctx.call_activity::<gated>("first").start();
    let second = ctx.call_activity::<gated>("second").start();
    ctx.set_custom_status("started")?;
    let second = second.await?;
    Ok((first.await?, second))
}

// OrchestrationContext: `.start()` schedules at once.
#[tokio::test]
async fn started_calls_run_before_they_are_awaited() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<starts_first_awaits_later>(()).await;
    bench.probe.called("first", 1).await;
    bench.probe.called("second", 1).await;
    bench.probe.open("first");
    bench.probe.open("second");
    let (first, second) = within(run.output()).await.unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("first", "second"));
    assert_eq!(bench.probe.calls("first"), 1);
}

#[orchestrator]
async fn builds_without_awaiting(ctx: OrchestrationContext) -> Result<u32> {
    let never = ctx.call_activity::<counted>("never");
    let scheduled = ctx.call_activity::<counted>("scheduled");
    drop(never);
    Ok(scheduled.await?)
}

// OrchestrationContext: a call takes its number when it is built, and is scheduled when it is polled.
#[tokio::test]
async fn a_call_that_is_not_polled_is_not_made() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<builds_without_awaiting>(()).await;
    assert_eq!(within(run.output()).await.unwrap(), 1);
    assert_eq!(bench.probe.calls("never"), 0);
    let history = bench.history(run.id()).await;
    let second =
        |kind: &EventKind| matches!(kind, EventKind::TaskScheduled { id, .. } if id.0 == 1);
    assert_eq!(count(&history, second), 1);
}

#[orchestrator]
async fn limits_a_started_call(ctx: OrchestrationContext) -> Result<bool> {
    let call = ctx.call_activity::<counted>("takes a month").start();
    ctx.sleep(DAY).await;
    Ok(call.timeout(7 * DAY).await.unwrap_err().is_timeout())
}

// OrchestrationContext: a time limit holds for a call that was started, too, and counts from where it was
// set.
#[test]
fn a_started_call_can_be_limited() {
    calm_and_crashing(async |host, _| {
        let slow = host.mock_activity::<counted>(|_| Ok(1)).delay(30 * DAY);
        assert!(host.run::<limits_a_started_call>(()).await.unwrap());
        assert_eq!(host.elapsed(), 8 * DAY);
        assert!(slow.calls() >= 1);
    });
}

#[orchestrator]
async fn limits_a_call(ctx: OrchestrationContext) -> Result<(bool, String, String)> {
    let call = ctx.call_activity::<counted>("takes a month");
    let failed = call.timeout(7 * DAY).await.unwrap_err();
    let error_type = failed.error_type().to_owned();
    Ok((failed.is_timeout(), failed.name().to_owned(), error_type))
}

// `.timeout` on a call: fails with `is_timeout()`, when the time is over.
#[test]
fn a_call_fails_at_its_time_limit() {
    calm_and_crashing(async |host, _| {
        host.mock_activity::<counted>(|_| Ok(1)).delay(30 * DAY);
        let (is_timeout, name, error_type) = host.run::<limits_a_call>(()).await.unwrap();
        assert!(is_timeout);
        assert_eq!(
            (name.as_str(), error_type.as_str()),
            ("counted", Failure::TIMEOUT)
        );
        assert_eq!(host.elapsed(), 7 * DAY);
    });
}

#[orchestrator]
async fn child_that_waits(ctx: OrchestrationContext) -> Result<()> {
    Ok(ctx.wait_for_external_event::<()>("go").await?)
}

#[orchestrator]
async fn limits_a_child(ctx: OrchestrationContext) -> Result<bool> {
    let call = ctx.call_sub_orchestrator::<child_that_waits>(());
    let failed = call.instance_id("goes-on").timeout(7 * DAY).await;
    Ok(failed.unwrap_err().is_timeout())
}

// `.timeout` on a call: what was called is not interrupted.
#[test]
fn a_child_goes_on_after_the_time_limit_of_its_caller() {
    calm_and_crashing(async |host, _| {
        assert!(host.run::<limits_a_child>(()).await.unwrap());
        assert_eq!(host.elapsed(), 7 * DAY);
        host.sleep(DAY).await;
        let client = host.client();
        client.raise_event("goes-on", "go", ()).await.unwrap();
        let ended = client.wait_for_completion("goes-on", DAY).await.unwrap();
        assert_eq!(ended.runtime_status.to_string(), "Completed");
        assert_eq!(host.elapsed(), 8 * DAY);
    });
}

#[orchestrator]
async fn limit_is_not_reached(ctx: OrchestrationContext) -> Result<u32> {
    let number = ctx.call_activity::<counted>("quick").timeout(DAY).await?;
    ctx.sleep(30 * DAY).await;
    Ok(number)
}

// `.timeout` on a call: reached in time, nothing is left of it.
#[test]
fn a_call_that_is_in_time_cancels_its_limit() {
    calm_and_crashing(async |host, _| {
        let run = host.start::<limit_is_not_reached>(()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 1);
        assert_eq!(host.elapsed(), 30 * DAY);
        let history = host.history(run.id()).unwrap();
        let fired = |kind: &EventKind| matches!(kind, EventKind::TimerFired { .. });
        assert_eq!(count(history.events(), fired), 1, "{history}");
    });
}

#[orchestrator]
async fn leaves_activities_behind(ctx: OrchestrationContext) -> Result<String> {
    let left = ctx.call_activity::<gated>("left").start();
    let dropped = ctx.call_activity::<gated>("dropped").start();
    drop(dropped);
    let _timer = ctx.sleep(LONG).start();
    let _kept = left;
    Ok("ended".to_owned())
}

// Rule 15: a returned value ends the orchestration; activities not awaited run to their end.
#[tokio::test]
async fn activities_that_are_not_awaited_run_to_their_end() {
    let bench = Bench::start().await;
    let run = bench
        .client
        .start_new_by_name("leaves_activities_behind", ());
    let run = within(run).await.unwrap();
    assert_eq!(within(run.output()).await.unwrap(), "ended");
    bench.probe.called("left", 1).await;
    bench.probe.called("dropped", 1).await;
    bench.probe.open("left");
    bench.probe.open("dropped");
    let status = bench.status(run.id()).await;
    assert_eq!(status.output, Some("ended".into()));
    let history = bench.history(run.id()).await;
    let done = |kind: &EventKind| matches!(kind, EventKind::TaskCompleted { .. });
    assert_eq!(count(&history, done), 0);
}

#[activity]
async fn notes_its_end(State(probe): State<Probe>, key: String) -> Result<String> {
    probe.call("begun");
    probe.pass(&key).await;
    probe.call("ended");
    Ok(key)
}

#[orchestrator]
async fn abandons_an_activity(ctx: OrchestrationContext) -> Result<u32> {
    let abandoned = ctx.call_activity::<notes_its_end>("abandoned").start();
    drop(abandoned);
    ctx.set_custom_status("dropped")?;
    ctx.wait_for_external_event::<()>("go on").await?;
    Ok(ctx.call_activity::<counted>("after").await?)
}

// Rules 14 and 16: the result of an activity that was dropped is ignored, live and on replay.
#[tokio::test]
async fn the_result_of_a_dropped_activity_is_ignored() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<abandons_an_activity>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "dropped").await;
    bench.probe.called("begun", 1).await;
    bench.probe.open("abandoned");
    bench.probe.called("ended", 1).await;
    let bench = bench.restart().await;
    bench.raise(&id, "go on", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some(1.into()));
}

#[orchestrator]
async fn polled_in_two_places(ctx: OrchestrationContext) -> Result<(String, u32)> {
    let mut slow = ctx.call_activity::<gated>("slow");
    let quick = select! {
        _ = &mut slow => 0,
        number = ctx.call_activity::<counted>("quick") => number?,
    };
    ctx.set_custom_status("selected")?;
    Ok((slow.await?, quick))
}

// Rule 14: a task is completed once, however often it is polled.
#[tokio::test]
async fn a_call_is_made_once_however_often_it_is_polled() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<polled_in_two_places>(()).await;
    bench.reached(run.id(), "selected").await;
    bench.probe.open("slow");
    let (slow, quick) = within(run.output()).await.unwrap();
    assert_eq!((slow.as_str(), quick), ("slow", 1));
    assert_eq!(bench.probe.calls("slow"), 1);
}

#[orchestrator]
async fn returns_early(ctx: OrchestrationContext) -> Result<u32> {
    let call = ctx.call_sub_orchestrator::<child_that_waits>(());
    drop(call.instance_id("forgotten").start());
    Ok(7)
}

// Rule 20: a sub-orchestration that is not awaited is fire and forget.
#[tokio::test]
async fn a_child_that_is_not_awaited_runs_by_itself() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<returns_early>(()).await, 7);
    bench
        .until("forgotten", |status| {
            status.runtime_status.to_string() == "Running"
        })
        .await;
    bench.raise("forgotten", "go", ()).await;
    let ended = bench.client.wait_for_completion("forgotten", LONG);
    let ended = within(ended).await.unwrap();
    assert_eq!(ended.runtime_status.to_string(), "Completed");
}
