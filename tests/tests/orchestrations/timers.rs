//! Durable timers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeZone, Utc};
use durable_runtime::host::HostOptions;
use durable_runtime::model::{Due, EventKind, InstanceId, TaskHubName};
use durable_runtime::prelude::*;
use durable_runtime::storage::{HubOptions, Memory, Sqlite, StorageProvider};

use crate::support::{Bench, LONG, counted, double, fails_first, millis, past, wall_clock, within};

#[orchestrator]
async fn timers_in_the_past(ctx: OrchestrationContext) -> Result<bool> {
    let now = ctx.current_utc_datetime();
    ctx.create_timer(now - chrono::Duration::days(365)).await;
    ctx.create_timer(Utc.timestamp_nanos(0)).await;
    ctx.create_timer(DateTime::<Utc>::MIN_UTC).await;
    ctx.create_timer(ctx.current_utc_datetime()).await;
    ctx.sleep(Duration::ZERO).await;
    ctx.sleep(Duration::from_nanos(1)).await;
    ctx.sleep(Duration::from_micros(1)).await;
    Ok(ctx.current_utc_datetime() - now < chrono::Duration::seconds(10))
}

// Rule 27: a fire time in the past fires at once, and so does one that is hardly in the future.
#[tokio::test]
async fn a_time_in_the_past_fires_at_once() {
    let evicting = HostOptions {
        idle_timeout: Duration::ZERO,
        ..HostOptions::default()
    };
    for options in [HostOptions::default(), evicting] {
        let bench = Bench::with(options).await;
        assert!(bench.output::<timers_in_the_past>(()).await);
    }
}

#[orchestrator]
async fn sleeps_for(ctx: OrchestrationContext, micros: u64) -> Result<(i64, i64)> {
    let began = ctx.current_utc_datetime();
    ctx.sleep(Duration::from_micros(micros)).await;
    let took = ctx.current_utc_datetime() - began;
    let late = wall_clock() - began;
    let micros = |time: chrono::Duration| time.num_microseconds().unwrap_or(i64::MAX);
    Ok((micros(took), micros(late)))
}

// Rule 27: never early, neither by the orchestration's clock nor by the one on the wall.
#[tokio::test]
async fn a_timer_is_never_early() {
    let bench = Bench::unchecked(HostOptions::default()).await;
    for wanted in [1_u64, 400, 1_500, 20_000] {
        let (took, late) = bench.output::<sleeps_for>(wanted).await;
        let wanted = i64::try_from(wanted).unwrap();
        assert!(took >= wanted && late >= wanted, "{wanted}: {took}, {late}");
    }
}

#[orchestrator]
async fn drops_huge_timers(ctx: OrchestrationContext) -> Result<i64> {
    let century = ctx.sleep(Duration::from_secs(100 * 365 * 86_400)).start();
    let forever = ctx.sleep(Duration::MAX).start();
    let last = ctx.create_timer(DateTime::<Utc>::MAX_UTC).start();
    ctx.set_custom_status("started")?;
    let doubled = select! {
        () = century => 0,
        () = forever => 0,
        () = last => 0,
        doubled = ctx.call_activity::<double>(5) => doubled?,
    };
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(doubled)
}

// Rule 27: no upper limit, in memory or in a file.
#[tokio::test]
async fn there_is_no_upper_limit() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(directory.path().join("timers.db")).unwrap();
    let bench = Bench::on(storage, HostOptions::default()).await;
    let run = bench.begin_run::<drops_huge_timers>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "started").await;
    let bench = bench.restart().await;
    bench.raise(&id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some(10.into()));
}

#[orchestrator]
async fn sleeps(ctx: OrchestrationContext, count: u64) -> Result<()> {
    ctx.sleep(millis(count)).await;
    Ok(())
}

#[orchestrator]
async fn drops_a_timer(ctx: OrchestrationContext) -> Result<u32> {
    let timer = ctx.sleep(millis(40)).start();
    let due = timer.fire_at();
    drop(timer);
    let never_started = ctx.sleep(millis(1));
    drop(never_started);
    ctx.set_custom_status(due)?;
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(ctx.call_activity::<counted>("after").await?)
}

async fn does_not_fire(bench: Bench, stops: bool) {
    let run = bench.begin_run::<drops_a_timer>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench
        .until(&id, |status| status.custom_status.is_some())
        .await;
    let status = bench.status(&id).await;
    let due = serde_json::from_value(status.custom_status.unwrap()).unwrap();
    let bench = if stops { bench.restart().await } else { bench };
    past(due).await;
    // Something that is due later has fired: the one before has had its chance.
    bench.output::<sleeps>(1u64).await;
    bench.raise(&id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some(1.into()));
    let history = bench.history(&id).await;
    let fired = history
        .iter()
        .filter(|event| matches!(event.kind, EventKind::TimerFired { .. }));
    assert_eq!(fired.count(), 0);
}

// Rule 16: dropping a timer cancels it.
#[tokio::test]
async fn a_dropped_timer_does_not_fire() {
    does_not_fire(Bench::start().await, false).await;
}

// Rules 16 and 23: dropping a timer cancels it, also after a replay.
#[tokio::test]
async fn a_dropped_timer_does_not_fire_after_a_restart() {
    does_not_fire(Bench::start().await, true).await;
}

#[orchestrator]
async fn leaves_a_timer(ctx: OrchestrationContext) -> Result<()> {
    let _timer = ctx.sleep(LONG).start();
    let cancelled = ctx.sleep(LONG).start();
    drop(cancelled);
    Ok(())
}

#[orchestrator]
async fn drops_all_kinds_of_timers(ctx: OrchestrationContext) -> Result<()> {
    drop(ctx.sleep(LONG).start());
    drop(ctx.call_activity::<double>(1).timeout(LONG).start());
    ctx.call_activity::<double>(1).timeout(LONG).await?;
    let event = ctx.wait_for_external_event::<()>("in time");
    event.timeout(LONG).await?;
    let abandoned = ctx.wait_for_external_event::<()>("too late");
    drop(abandoned.timeout(LONG).start());
    let retried = (ctx.instance_id().to_owned(), u32::MAX);
    let retried = ctx.call_activity::<fails_first>(retried);
    let retried = retried.retry(RetryPolicy::new(2, LONG));
    select! {
        _ = retried => unreachable!("the next attempt is far away"),
        () = ctx.sleep(millis(5)) => {}
    }
    ctx.set_custom_status("dropped")?;
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(())
}

/// When the stored instance has to be looked after.
fn due(memory: &Memory, id: &str) -> Option<Due> {
    let hub = TaskHubName::new("DurableHub").unwrap();
    let hub = memory.open_hub(&hub, &HubOptions::default()).unwrap();
    let id = InstanceId::new(id).unwrap();
    hub.summary(&id, false).unwrap().unwrap().record.due
}

// Rule 15: a returned value cancels the timers; nothing of the instance is due any more.
#[tokio::test]
async fn an_ended_orchestration_has_nothing_due() {
    let memory = Memory::new();
    let bench = Bench::on(memory.clone(), HostOptions::default()).await;
    let run = bench.begin_run::<leaves_a_timer>(()).await;
    within(run.output()).await.unwrap();
    assert_eq!(due(&memory, run.id()), None);
}

// Rule 16: neither is anything due of what was dropped, whatever made the timer.
#[tokio::test]
async fn what_was_dropped_is_not_due() {
    let memory = Memory::new();
    let bench = Bench::on(memory.clone(), HostOptions::default()).await;
    let run = bench.begin_run::<drops_all_kinds_of_timers>(()).await;
    bench.raise(run.id(), "in time", ()).await;
    bench.reached(run.id(), "dropped").await;
    let nothing_due = async {
        while due(&memory, run.id()).is_some() {
            tokio::task::yield_now().await;
        }
    };
    within(nothing_due).await;
}

#[orchestrator]
async fn asks_for_nanoseconds(ctx: OrchestrationContext) -> Result<bool> {
    let wanted = ctx.current_utc_datetime() + chrono::Duration::nanoseconds(1_500);
    let timer = ctx.create_timer(wanted);
    let is_stored_as_it_is = timer.fire_at().trunc_subsecs(6) == timer.fire_at();
    let is_not_early = timer.fire_at() >= wanted;
    timer.await;
    Ok(is_stored_as_it_is && is_not_early && ctx.current_utc_datetime() >= wanted)
}

// Rule 27: never early, also where a time is finer than what storage keeps.
#[tokio::test]
async fn fractions_of_a_microsecond_are_rounded_up() {
    let bench = Bench::start().await;
    assert!(bench.output::<asks_for_nanoseconds>(()).await);
}

#[orchestrator]
async fn three_timers(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let began = ctx.current_utc_datetime();
    let timers = [30, 10, 20].map(|after| {
        let due = began + millis(after);
        let (timer, log) = (ctx.create_timer(due).start(), Rc::clone(&log));
        Box::pin(async move {
            timer.await;
            log.borrow_mut().push(after);
        })
    });
    ctx.set_custom_status(began)?;
    when_all(timers).await?;
    Ok(log.take())
}

// Rule 27: in order of their due time.
#[tokio::test]
async fn timers_fire_in_order_of_their_time() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<three_timers>(()).await, [10, 20, 30]);
}

// Rule 27: after a stop, those overdue fire in order of their due time.
#[tokio::test]
async fn overdue_timers_fire_in_order_of_their_time() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<three_timers>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench
        .until(&id, |status| status.custom_status.is_some())
        .await;
    let down = bench.stop().await;
    past(wall_clock() + millis(30)).await;
    let bench = down.start().await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    let order: Vec<u64> = ended.unwrap().output_as().unwrap();
    assert_eq!(order, [10, 20, 30]);
}
