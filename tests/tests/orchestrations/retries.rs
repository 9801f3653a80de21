//! Retry policies, and what is never retried.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::{Failure, TaskFailed};
use serde::{Deserialize, Serialize};

use crate::support::{Bench, LONG, Probe, count, fails_first, millis, within};

fn key(text: &str, times: u32) -> (String, u32) {
    (text.to_owned(), times)
}

#[orchestrator]
async fn retries_three_times(ctx: OrchestrationContext, times: u32) -> Result<u32> {
    let call = ctx.call_activity::<fails_first>(key("retried", times));
    Ok(call.retry(RetryPolicy::new(3, Duration::ZERO)).await?)
}

// Rule 28: attempts include the first.
#[tokio::test]
async fn attempts_include_the_first() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<retries_three_times>(2u32).await, 3);
    assert_eq!(bench.probe.calls("retried"), 3);
}

// Rule 28: the last error is the one reported.
#[tokio::test]
async fn the_last_error_is_reported() {
    let bench = Bench::start().await;
    let failure = bench.failure::<retries_three_times>(u32::MAX).await;
    assert_eq!(bench.probe.calls("retried"), 3);
    assert_eq!(failure.message(), "`fails_first` failed: attempt 3");
}

#[orchestrator]
async fn backs_off(ctx: OrchestrationContext) -> Result<()> {
    let policy = RetryPolicy::new(5, millis(4))
        .backoff(2.0)
        .max_interval(millis(10));
    let call = ctx.call_activity::<fails_first>(key("backs off", u32::MAX));
    assert!(call.retry(policy).await.is_err());
    Ok(())
}

// Rule 28: delay n = first × coefficient^(n−1), at most the maximum; delays are durable timers.
#[tokio::test]
async fn delays_are_timers_that_grow_up_to_the_maximum() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<backs_off>(()).await;
    within(run.output()).await.unwrap();
    let history = bench.history(run.id()).await;
    let mut delays = Vec::new();
    for event in &history {
        if let EventKind::TimerCreated { fire_at, .. } = &event.kind {
            delays.push((*fire_at - event.timestamp).num_milliseconds());
        }
    }
    assert_eq!(delays, [4, 8, 10, 10]);
    assert_eq!(bench.probe.calls("backs off"), 5);
}

#[orchestrator]
async fn gives_up_in_time(ctx: OrchestrationContext) -> Result<()> {
    let policy = RetryPolicy::new(u32::MAX, millis(10)).timeout(millis(35));
    let began = ctx.current_utc_datetime();
    let call = ctx.call_activity::<fails_first>(key("in time", u32::MAX));
    assert!(call.retry(policy).await.is_err());
    let took = ctx.current_utc_datetime() - began;
    assert!(took >= chrono::Duration::milliseconds(10), "{took}");
    Ok(())
}

// Rule 28: the retry timeout counts from the first attempt.
#[tokio::test]
async fn no_attempt_begins_after_the_retry_timeout() {
    let bench = Bench::start().await;
    bench.output::<gives_up_in_time>(()).await;
    let attempts = bench.probe.calls("in time");
    assert!((2..=4).contains(&attempts), "{attempts} attempts");
}

#[orchestrator]
async fn retries_forever_if_asked(ctx: OrchestrationContext) -> Result<Vec<(u32, String, bool)>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let began = ctx.current_utc_datetime();
    let (notes, clock) = (Rc::clone(&seen), ctx.clone());
    let call = ctx
        .call_activity::<fails_first>(key("asked", u32::MAX))
        .retry(RetryPolicy::new(10, millis(2)))
        .retry_if(move |attempt| {
            let elapsed = clock.current_utc_datetime() - began;
            let is_exact = elapsed.to_std().ok() == Some(attempt.elapsed());
            let message = attempt.last_failure().message().to_owned();
            notes
                .borrow_mut()
                .push((attempt.number(), message, is_exact));
            attempt.number() < 3
        });
    assert!(call.await.is_err());
    Ok(seen.take())
}

// Rule 30: `retry_if` sees number, failure and time; `false` stops.
#[tokio::test]
async fn retry_if_decides_on_number_failure_and_time() {
    let bench = Bench::start().await;
    let seen = bench.output::<retries_forever_if_asked>(()).await;
    let expected: Vec<_> = (1..=3)
        .map(|number| (number, format!("attempt {number}"), true))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(bench.probe.calls("asked"), 3);
}

#[orchestrator]
async fn retries_without_a_policy(ctx: OrchestrationContext) -> Result<u32> {
    let call = ctx.call_activity::<fails_first>(key("no policy", 4));
    Ok(call.retry_if(|attempt| attempt.number() < 10).await?)
}

// Rule 30: without a policy it is tried again at once, as often as the handler wants.
#[tokio::test]
async fn retry_if_needs_no_policy() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<retries_without_a_policy>(()).await, 5);
}

#[orchestrator]
async fn both_must_agree(ctx: OrchestrationContext) -> Result<()> {
    let call = ctx
        .call_activity::<fails_first>(key("both", u32::MAX))
        .retry(RetryPolicy::new(2, Duration::ZERO))
        .retry_if(|_| true);
    assert!(call.await.is_err());
    Ok(())
}

// Rule 30: with a policy, both must agree.
#[tokio::test]
async fn retry_if_does_not_go_beyond_the_policy() {
    let bench = Bench::start().await;
    bench.output::<both_must_agree>(()).await;
    assert_eq!(bench.probe.calls("both"), 2);
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
    let policy = || RetryPolicy::new(5, Duration::ZERO);
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
#[tokio::test]
async fn what_a_retry_cannot_mend_is_not_retried() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<not_worth_a_retry>(()).await;
    let types = within(run.output()).await.unwrap();
    let unknown = Failure::NOT_REGISTERED.to_owned();
    let misfit = Failure::SERIALIZATION.to_owned();
    assert_eq!(types, [unknown.clone(), unknown, misfit]);
    assert_eq!(bench.probe.calls("for good"), 1);
    assert_eq!(bench.probe.calls("picky"), 0);
    let history = bench.history(run.id()).await;
    let calls = |kind: &EventKind| matches!(kind, EventKind::TaskScheduled { .. });
    assert_eq!(count(&history, calls), 3);
    let children = |kind: &EventKind| matches!(kind, EventKind::SubOrchestrationCreated { .. });
    assert_eq!(count(&history, children), 1);
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
        .retry(RetryPolicy::new(3, millis(1)));
    if let Some(id) = id {
        call = call.instance_id(id);
    }
    Ok(call.await?)
}

// Rule 28: sub-orchestrations are retried like activities, under an id of their own or a new one.
#[tokio::test]
async fn sub_orchestrations_are_retried() {
    for id in [None, Some("the-one".to_owned())] {
        let bench = Bench::start().await;
        assert_eq!(bench.output::<retries_a_child>(id).await, 3);
        assert_eq!(bench.probe.calls("child"), 3);
    }
}

#[orchestrator]
async fn waits_long_for_the_retry(ctx: OrchestrationContext) -> Result<bool> {
    let call = ctx.call_activity::<fails_first>(key("long", 1));
    let call = call.retry(RetryPolicy::new(2, LONG)).timeout(millis(20));
    Ok(call.await.unwrap_err().is_timeout())
}

// `.timeout`: retries and the delays between them count.
#[tokio::test]
async fn the_time_limit_includes_retries() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<waits_long_for_the_retry>(()).await;
    assert!(within(run.output()).await.unwrap());
    assert_eq!(bench.probe.calls("long"), 1);
}

#[orchestrator]
async fn keeps_time_between_attempts(ctx: OrchestrationContext) -> Result<Vec<DateTime<Utc>>> {
    let times = Rc::new(RefCell::new(Vec::new()));
    let (notes, clock) = (Rc::clone(&times), ctx.clone());
    let call = ctx
        .call_activity::<fails_first>(key("spaced", 2))
        .retry(RetryPolicy::new(3, millis(15)))
        .retry_if(move |_| {
            notes.borrow_mut().push(clock.current_utc_datetime());
            true
        });
    call.await?;
    times.borrow_mut().push(ctx.current_utc_datetime());
    Ok(times.take())
}

// Rule 28: an attempt never begins before its delay is over.
#[tokio::test]
async fn an_attempt_waits_for_its_delay() {
    let bench = Bench::start().await;
    let times = bench.output::<keeps_time_between_attempts>(()).await;
    for pair in times.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= chrono::Duration::milliseconds(15), "{apart}");
    }
}
