//! Virtual time.

use std::time::{Duration, Instant};

use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, run_with};

use crate::support::{DAY, HOUR, SECOND, approval, buy, calculate, charge};

#[orchestrator]
async fn sleeps(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    let start = ctx.current_utc_datetime();
    let mut passed = Vec::new();
    for nap in [90 * DAY, HOUR, Duration::from_micros(1_500), Duration::ZERO] {
        ctx.sleep(nap).await;
        passed.push((ctx.current_utc_datetime() - start).num_milliseconds());
    }
    Ok(passed)
}

/// Waits for a trial of 90 days, asks, and charges.
#[orchestrator]
async fn subscription(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    ctx.sleep(90 * DAY).await;
    let approval = ctx.wait_for_external_event::<bool>("approval");
    if approval.timeout(7 * DAY).await? != Some(true) {
        return Ok("not approved".to_owned());
    }
    let policy = RetryPolicy::new(3, HOUR);
    Ok(ctx.call_activity::<charge>(cents).retry(policy).await?)
}

#[durable_runtime::test]
async fn activities_run_on_the_thread_of_the_test(host: TestHost) {
    assert_eq!(host.run::<calculate>(20_u64).await.unwrap(), 41);
    assert_eq!(host.elapsed(), Duration::ZERO);
}

// Rule 27: timers of any length, never early, in virtual time to the millisecond.
#[durable_runtime::test]
async fn time_jumps_to_the_next_timer(host: TestHost) {
    let start = host.now();
    let day: i64 = 86_400_000;
    let hour: i64 = 3_600_000;
    let passed = host.run::<sleeps>(()).await.unwrap();
    assert_eq!(passed[..2], [90 * day, 90 * day + hour]);
    assert_eq!(passed[2], 90 * day + hour + 2, "half a millisecond late");
    assert_eq!(passed[3], passed[2]);
    assert_eq!((host.now() - start).num_milliseconds(), passed[3]);
}

#[durable_runtime::test]
async fn a_trial_of_90_days_retries_and_an_approval_take_no_time(host: TestHost) {
    let charge = host
        .mock_activity::<charge>(|cents| Ok(format!("{cents} charged")))
        .fail_first(2, "the bank is closed");
    let began = Instant::now();
    let run = host.start::<subscription>(500_u64).await.unwrap();
    host.raise_event_after(93 * DAY, run.id(), "approval", true);
    assert_eq!(run.output().await.unwrap(), "500 charged");
    println!("took {:?} of real time", began.elapsed());
    charge.expect_calls(3);
    assert_eq!(host.elapsed(), 93 * DAY + 2 * HOUR);
    host.history(run.id()).unwrap().expect(&[
        "ExecutionStarted subscription(500)",
        "TimerCreated 2024-03-31T00:00:00Z",
        "TimerFired",
        "TimerCreated 2024-04-07T00:00:00Z",
        "EventRaised approval(true)",
        "TaskScheduled charge(500)",
        "TaskFailed the bank is closed",
        "TimerCreated 2024-04-03T01:00:00Z",
        "TimerFired",
        "TaskScheduled charge(500)",
        "TaskFailed the bank is closed",
        "TimerCreated 2024-04-03T02:00:00Z",
        "TimerFired",
        "TaskScheduled charge(500)",
        "TaskCompleted \"500 charged\"",
        "ExecutionCompleted \"500 charged\"",
    ]);
}

// Rule 28: the delays of a policy are durable timers.
#[durable_runtime::test]
async fn retries_wait_in_virtual_time(host: TestHost) {
    let charge = host
        .mock_activity::<charge>(|_| Err(Error::msg("closed")))
        .delay(5 * SECOND);
    let failed = host.run::<buy>(1_u64).await.unwrap_err();
    assert!(matches!(failed, ClientError::Failed(_)), "{failed}");
    charge.expect_calls(3);
    assert_eq!(host.elapsed(), (15 + 60 + 120) * SECOND);
}

#[durable_runtime::test]
async fn an_event_that_does_not_come_is_waited_for_in_virtual_time(host: TestHost) {
    assert_eq!(host.run::<approval>(()).await.unwrap(), None);
    assert_eq!(host.elapsed(), 30 * DAY);
}

#[durable_runtime::test]
async fn an_event_comes_at_its_virtual_time(host: TestHost) {
    let run = host.start::<approval>(()).await.unwrap();
    host.sleep(29 * DAY).await;
    run.raise_event("approval", true).await.unwrap();
    assert_eq!(run.output().await.unwrap(), Some(true));
    assert_eq!(host.elapsed(), 29 * DAY);
}

#[orchestrator]
async fn waits_for_good(ctx: OrchestrationContext) -> Result<()> {
    ctx.wait_for_external_event::<()>("never").await?;
    Ok(())
}

#[durable_runtime::test]
async fn waiting_for_what_never_comes_is_an_error_that_names_it(host: TestHost) {
    let run = host.start::<waits_for_good>(()).instance_id("stuck");
    let error = run.await.unwrap().output().await.unwrap_err();
    assert!(matches!(error, ClientError::Standstill { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("stuck (waits_for_good, Running)"), "{text}");
}

#[test]
fn an_orchestration_without_an_end_is_given_up_at_the_limit() {
    #[orchestrator]
    async fn forever(ctx: OrchestrationContext) -> Result<()> {
        ctx.sleep(DAY).await;
        ctx.continue_as_new(())
    }
    run_with(TestHost::builder().time_limit(100 * DAY), async |host| {
        let error = host.run::<forever>(()).await.unwrap_err();
        assert!(matches!(error, ClientError::Standstill { .. }), "{error}");
        assert_eq!(host.elapsed(), 100 * DAY);
    });
}

// One that never waits stops the time of all others, and would let the test hang.
#[durable_runtime::test]
async fn an_orchestration_that_never_waits_is_given_up(host: TestHost) {
    #[orchestrator]
    async fn restless(ctx: OrchestrationContext) -> Result<()> {
        ctx.continue_as_new(())
    }
    let run = host.start::<restless>(()).instance_id("restless-1");
    let error = run.await.unwrap().output().await.unwrap_err().to_string();
    assert!(error.contains("without a timer"), "{error}");
    assert!(error.contains("restless-1"), "{error}");
    let client = host.client();
    let answer = client.terminate("restless-1", "enough").await;
    assert!(matches!(answer, Err(ClientError::Busy { .. })));
    host.crash().await;
}

#[durable_runtime::test]
async fn a_host_that_was_dropped_answers_nobody_and_lets_nobody_wait() {
    let host = TestHost::new();
    let (client, run) = (
        host.client(),
        host.start::<waits_for_good>(()).await.unwrap(),
    );
    let (waited, ()) = tokio::join!(run.output(), async move {
        host.sleep(DAY).await;
        drop(host);
    });
    let error = waited.unwrap_err().to_string();
    assert!(error.contains("dropped its host"), "{error}");
    let error = client.start_new::<approval>(()).await.unwrap_err();
    assert!(matches!(error, ClientError::Busy { .. }), "{error}");
}

// The host pauses the clock of a runtime that it finds.
#[tokio::test]
async fn a_test_of_tokio_does_as_well() {
    let host = TestHost::new();
    for days in [30, 60, 90] {
        assert_eq!(host.run::<approval>(()).await.unwrap(), None);
        assert_eq!(host.elapsed(), days * DAY);
    }
    let client = host.client();
    let run = client.start_new::<approval>(()).await.unwrap();
    let waited = client.wait_for_completion(run.id(), DAY).await;
    assert!(matches!(waited, Err(ClientError::Timeout { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stands_still_already_is_fine() {
    let host = TestHost::new();
    assert_eq!(host.run::<approval>(()).await.unwrap(), None);
    assert_eq!(host.elapsed(), 30 * DAY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_of_many_threads_is_refused() {
    let error = TestHost::builder().build().unwrap_err().to_string();
    assert!(error.contains("of one thread"), "{error}");
}

#[test]
fn no_runtime_is_refused() {
    let error = TestHost::builder().build().unwrap_err().to_string();
    assert!(error.contains("#[durable_runtime::test]"), "{error}");
}

#[tokio::test]
#[should_panic(expected = "call this in a plain `#[test]`")]
async fn a_runtime_in_a_runtime_is_refused() {
    run_with(TestHost::builder(), async |_| ());
}
