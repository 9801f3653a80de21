//! Retry policies, and what is never retried.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use durable_runtime::{Failure, TaskFailed};
use serde::{Deserialize, Serialize};

use crate::support::{Probe, count, counted, fails_first, failure_of};
use crate::virtual_time::{DAY, HOUR, MINUTE, calm_and_crashing, calm_and_crashing_with};

fn key(text: &str, times: u32) -> (String, u32) {
    (text.to_owned(), times)
}

#[orchestrator]
async fn retries_three_times(ctx: OrchestrationContext, times: u32) -> Result<u32> {
    let call = ctx.call_activity::<fails_first>(key("retried", times));
    Ok(call.retry(RetryPolicy::new(3, DAY)).await?)
}

// Rule 28: attempts include the first.
#[test]
fn attempts_include_the_first() {
    calm_and_crashing(async |host, probe| {
        assert_eq!(host.run::<retries_three_times>(2u32).await.unwrap(), 3);
        assert_eq!(probe.calls("retried"), 3);
        assert_eq!(host.elapsed(), 2 * DAY);
    });
}

// Rule 28: the last error is the one reported, and at once.
#[test]
fn the_last_error_is_reported() {
    calm_and_crashing(async |host, probe| {
        let failure = failure_of(host.run::<retries_three_times>(u32::MAX).await);
        assert_eq!(probe.calls("retried"), 3);
        assert_eq!(failure.message(), "`fails_first` failed: attempt 3");
        assert_eq!(host.elapsed(), 2 * DAY);
    });
}

#[orchestrator]
async fn backs_off(ctx: OrchestrationContext) -> Result<()> {
    let policy = RetryPolicy::new(5, HOUR)
        .backoff(2.0)
        .max_interval(150 * MINUTE);
    let call = ctx.call_activity::<fails_first>(key("backs off", u32::MAX));
    assert!(call.retry(policy).await.is_err());
    Ok(())
}

/// How many minutes after the start of the host each timer of an instance is due.
fn timers(host: &TestHost, id: &str) -> Vec<i64> {
    let history = host.history(id).unwrap();
    let began = history.events()[0].timestamp;
    let due = history
        .events()
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::TimerCreated { fire_at, .. } => Some((fire_at - began).num_minutes()),
            _ => None,
        });
    due.collect()
}

// Rule 28: delay n = first × coefficient^(n−1), at most the maximum; delays are durable timers.
#[test]
fn delays_are_timers_that_grow_up_to_the_maximum() {
    calm_and_crashing(async |host, probe| {
        let run = host.start::<backs_off>(()).await.unwrap();
        run.output().await.unwrap();
        assert_eq!(timers(&host, run.id()), [60, 180, 330, 480]);
        assert_eq!(probe.calls("backs off"), 5);
        assert_eq!(host.elapsed(), 8 * HOUR);
    });
}

#[orchestrator]
async fn gives_up_in_time(ctx: OrchestrationContext) -> Result<()> {
    let policy = RetryPolicy::new(u32::MAX, 10 * MINUTE).timeout(35 * MINUTE);
    let call = ctx.call_activity::<counted>("in time");
    assert!(call.retry(policy).await.is_err());
    Ok(())
}

// Rule 28: the retry timeout counts from the first attempt, and what the attempts take counts as well.
#[test]
fn no_attempt_begins_after_the_retry_timeout() {
    let impatient = || TestHost::builder().time_limit(DAY);
    for (duration, attempts, end) in [(0, 4, 30), (4, 3, 32), (15, 2, 40), (26, 1, 26)] {
        calm_and_crashing_with(impatient, async |host, _| {
            let busy = host.mock_activity::<counted>(|_| Err(Error::msg("busy")));
            let busy = busy.delay(duration * MINUTE);
            host.run::<gives_up_in_time>(()).await.unwrap();
            busy.expect_calls(attempts);
            assert_eq!(host.elapsed(), end * MINUTE);
        });
    }
}

#[orchestrator]
async fn retries_forever_if_asked(
    ctx: OrchestrationContext,
) -> Result<Vec<(u32, String, Duration)>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    let call = ctx
        .call_activity::<fails_first>(key("asked", u32::MAX))
        .retry(RetryPolicy::new(10, 2 * HOUR))
        .retry_if(move |attempt| {
            let message = attempt.last_failure().message().to_owned();
            let note = (attempt.number(), message, attempt.elapsed());
            notes.borrow_mut().push(note);
            attempt.number() < 3
        });
    assert!(call.await.is_err());
    Ok(seen.take())
}

// Rule 30: `retry_if` sees number, failure and time; `false` stops.
#[test]
fn retry_if_decides_on_number_failure_and_time() {
    calm_and_crashing(async |host, probe| {
        let seen = host.run::<retries_forever_if_asked>(()).await.unwrap();
        let expected: Vec<_> = (1..=3)
            .map(|number| (number, format!("attempt {number}"), (number - 1) * 2 * HOUR))
            .collect();
        assert_eq!(seen, expected);
        assert_eq!(probe.calls("asked"), 3);
        assert_eq!(host.elapsed(), 4 * HOUR);
    });
}

#[orchestrator]
async fn retries_without_a_policy(ctx: OrchestrationContext) -> Result<u32> {
    let call = ctx.call_activity::<fails_first>(key("no policy", 4));
    Ok(call.retry_if(|attempt| attempt.number() < 10).await?)
}

// Rule 30: without a policy it is tried again at once, as often as the handler wants.
#[test]
fn retry_if_needs_no_policy() {
    calm_and_crashing(async |host, _| {
        assert_eq!(host.run::<retries_without_a_policy>(()).await.unwrap(), 5);
        assert_eq!(host.elapsed(), Duration::ZERO);
    });
}

#[orchestrator]
async fn both_must_agree(ctx: OrchestrationContext) -> Result<()> {
    let call = ctx
        .call_activity::<fails_first>(key("both", u32::MAX))
        .retry(RetryPolicy::new(2, HOUR))
        .retry_if(|_| true);
    assert!(call.await.is_err());
    Ok(())
}

// Rule 30: with a policy, both must agree.
#[test]
fn retry_if_does_not_go_beyond_the_policy() {
    calm_and_crashing(async |host, probe| {
        host.run::<both_must_agree>(()).await.unwrap();
        assert_eq!(probe.calls("both"), 2);
        assert_eq!(host.elapsed(), HOUR);
    });
}

#[activity]
async fn fails_for_good(State(probe): State<Probe>, key: String) -> Result<()> {
    probe.call(&key);
    Err(Error::non_retriable("for good"))
}

#[derive(Debug, Serialize, Deserialize)]
struct Picky {
    needed: u32,
}

#[activity]
async fn picky(State(probe): State<Probe>, input: Picky) -> Result<u32> {
    probe.call("picky");
    Ok(input.needed)
}

#[orchestrator]
async fn not_worth_a_retry(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let policy = || RetryPolicy::new(5, DAY);
    let mut asked = Vec::new();
    let failed = ctx
        .call_activity::<fails_for_good>("for good")
        .retry(policy())
        .retry_if(|_| unreachable!("it is not asked"))
        .await;
    asked.push(failed.unwrap_err());
    let unknown = ctx.call_activity_by_name::<()>("nobody knows this", ());
    asked.push(unknown.retry(policy()).await.unwrap_err());
    let unknown = ctx.call_sub_orchestrator_by_name::<()>("nobody knows this", ());
    asked.push(unknown.retry(policy()).await.unwrap_err());
    let misfit = ctx.call_activity_by_name::<u32>("picky", "text");
    asked.push(misfit.retry(policy()).await.unwrap_err());
    assert!(asked.iter().all(TaskFailed::is_non_retriable));
    let types = asked.iter().map(|failed| failed.error_type().to_owned());
    Ok(types.skip(1).collect())
}

// Rule 29: what is marked, unknown, or does not fit is not tried again.
#[test]
fn what_a_retry_cannot_mend_is_not_retried() {
    calm_and_crashing(async |host, probe| {
        let run = host.start::<not_worth_a_retry>(()).await.unwrap();
        let types = run.output().await.unwrap();
        let unknown = Failure::NOT_REGISTERED.to_owned();
        let misfit = Failure::SERIALIZATION.to_owned();
        assert_eq!(types, [unknown.clone(), unknown, misfit]);
        assert_eq!(probe.calls("for good"), 1);
        assert_eq!(probe.calls("picky"), 0);
        let history = host.history(run.id()).unwrap();
        let calls = |kind: &EventKind| matches!(kind, EventKind::TaskScheduled { .. });
        assert_eq!(count(history.events(), calls), 3);
        let children = |kind: &EventKind| matches!(kind, EventKind::SubOrchestrationCreated { .. });
        assert_eq!(count(history.events(), children), 1);
        assert_eq!(host.elapsed(), Duration::ZERO);
    });
}

#[orchestrator]
async fn fails_as_a_child(ctx: OrchestrationContext, times: u32) -> Result<u32> {
    Ok(ctx
        .call_activity::<fails_first>(key("child", times))
        .await?)
}

#[orchestrator]
async fn retries_a_child(ctx: OrchestrationContext, id: Option<String>) -> Result<u32> {
    let mut call = ctx
        .call_sub_orchestrator::<fails_as_a_child>(2u32)
        .retry(RetryPolicy::new(3, DAY).backoff(2.0));
    if let Some(id) = id {
        call = call.instance_id(id);
    }
    Ok(call.await?)
}

// Rule 28: sub-orchestrations are retried like activities, under an id of their own or a new one.
#[test]
fn sub_orchestrations_are_retried() {
    for id in [None, Some("the-one".to_owned())] {
        calm_and_crashing(async |host, probe| {
            let output = host.run::<retries_a_child>(id.clone()).await;
            assert_eq!(output.unwrap(), 3);
            assert_eq!(probe.calls("child"), 3);
            assert_eq!(host.elapsed(), 3 * DAY);
        });
    }
}

#[orchestrator]
async fn waits_long_for_the_retry(ctx: OrchestrationContext) -> Result<bool> {
    let call = ctx.call_activity::<fails_first>(key("long", 1));
    let call = call.retry(RetryPolicy::new(2, 30 * DAY)).timeout(7 * DAY);
    Ok(call.await.unwrap_err().is_timeout())
}

// `.timeout`: retries and the delays between them count.
#[test]
fn the_time_limit_includes_retries() {
    calm_and_crashing(async |host, probe| {
        assert!(host.run::<waits_long_for_the_retry>(()).await.unwrap());
        assert_eq!(probe.calls("long"), 1);
        assert_eq!(host.elapsed(), 7 * DAY);
    });
}

#[orchestrator]
async fn keeps_time_between_attempts(ctx: OrchestrationContext) -> Result<Vec<TimeDelta>> {
    let times = Rc::new(RefCell::new(Vec::new()));
    let (notes, clock) = (Rc::clone(&times), ctx.clone());
    let began = ctx.current_utc_datetime();
    let call = ctx
        .call_activity::<fails_first>(key("spaced", 2))
        .retry(RetryPolicy::new(3, 15 * MINUTE))
        .retry_if(move |_| {
            let passed = clock.current_utc_datetime() - began;
            notes.borrow_mut().push(passed);
            true
        });
    call.await?;
    times.borrow_mut().push(ctx.current_utc_datetime() - began);
    Ok(times.take())
}

// Rule 28: an attempt begins when its delay is over, not before.
#[test]
fn an_attempt_waits_for_its_delay() {
    calm_and_crashing(async |host, _| {
        let times = host.run::<keeps_time_between_attempts>(()).await.unwrap();
        assert_eq!(times, [0, 15, 30].map(TimeDelta::minutes));
    });
}
