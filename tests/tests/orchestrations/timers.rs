//! Durable timers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, TimeZone, Utc};
use durable_runtime::host::HostOptions;
use durable_runtime::model::{Due, InstanceId, TaskHubName};
use durable_runtime::prelude::*;
use durable_runtime::storage::{HubOptions, Memory, Sqlite, StorageProvider};
use durable_runtime::testing::{TestHost, run_many_seeds};

use crate::support::{Bench, LONG, counted, double, fails_first, millis, past, wall_clock, within};
use crate::virtual_time::{DAY, calm_and_crashing, calm_and_crashing_with};

#[orchestrator]
async fn timers_in_the_past(ctx: OrchestrationContext) -> Result<Vec<TimeDelta>> {
    let now = ctx.current_utc_datetime();
    ctx.create_timer(now - TimeDelta::days(365)).await;
    ctx.create_timer(Utc.timestamp_nanos(0)).await;
    ctx.create_timer(DateTime::<Utc>::MIN_UTC).await;
    ctx.create_timer(ctx.current_utc_datetime()).await;
    ctx.sleep(Duration::ZERO).await;
    let at_once = ctx.current_utc_datetime() - now;
    ctx.sleep(Duration::from_nanos(1)).await;
    ctx.sleep(Duration::from_micros(1)).await;
    Ok(vec![at_once, ctx.current_utc_datetime() - now])
}

// Rule 27: a fire time in the past fires at once, and one that is hardly in the future as soon as the clock
// shows it.
#[test]
fn a_time_in_the_past_fires_at_once() {
    calm_and_crashing(async |host, _| {
        let took = host.run::<timers_in_the_past>(()).await.unwrap();
        assert_eq!(took, [TimeDelta::zero(), TimeDelta::milliseconds(2)]);
        assert_eq!(host.elapsed(), millis(2));
    });
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
async fn sleeps_for_centuries(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    let began = ctx.current_utc_datetime();
    let mut days = Vec::new();
    for nap in [1, 999, 99_000] {
        ctx.sleep(nap * DAY).await;
        days.push((ctx.current_utc_datetime() - began).num_days());
    }
    Ok(days)
}

// Rule 27: no upper limit, and neither early nor late.
#[test]
fn a_timer_of_centuries_fires_when_it_is_due() {
    let patient = || TestHost::builder().time_limit(100_001 * DAY);
    calm_and_crashing_with(patient, async |host, _| {
        let days = host.run::<sleeps_for_centuries>(()).await.unwrap();
        assert_eq!(days, [1, 1_000, 100_000]);
        assert_eq!(host.elapsed(), 100_000 * DAY);
    });
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
async fn drops_a_timer(ctx: OrchestrationContext) -> Result<u32> {
    drop(ctx.sleep(40 * DAY).start());
    drop(ctx.sleep(DAY));
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(ctx.call_activity::<counted>("after").await?)
}

// Rules 16 and 23: dropping a timer cancels it, also after a replay, and one that was not started is none.
#[test]
fn a_dropped_timer_does_not_fire() {
    calm_and_crashing(async |host, _| {
        let run = host.start::<drops_a_timer>(()).await.unwrap();
        host.raise_event_after(41 * DAY, run.id(), "go", ());
        assert_eq!(run.output().await.unwrap(), 1);
        assert_eq!(host.elapsed(), 41 * DAY);
        let history = host.history(run.id()).unwrap();
        let kinds = history.events().iter().map(|event| event.kind.name());
        assert!(!kinds.clone().any(|kind| kind == "TimerFired"), "{history}");
        assert_eq!(kinds.filter(|kind| *kind == "TimerCreated").count(), 1);
    });
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
async fn three_timers(ctx: OrchestrationContext, unit: Duration) -> Result<Vec<(u32, TimeDelta)>> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let began = ctx.current_utc_datetime();
    let timers = [30, 10, 20].map(|after| {
        let due = began + after * unit;
        let (timer, log) = (ctx.create_timer(due).start(), Rc::clone(&log));
        let clock = ctx.clone();
        Box::pin(async move {
            timer.await;
            let took = clock.current_utc_datetime() - began;
            log.borrow_mut().push((after, took));
        })
    });
    ctx.set_custom_status(began)?;
    when_all(timers).await?;
    Ok(log.take())
}

// Rule 27: in order of their due time, each when it is due, whatever else is open.
#[test]
fn timers_fire_in_order_of_their_time() {
    let in_order = [10, 20, 30].map(|days| (days, TimeDelta::days(days.into())));
    calm_and_crashing(async |host, _| {
        let fired = host.run::<three_timers>(DAY).await.unwrap();
        assert_eq!(fired, in_order);
        assert_eq!(host.elapsed(), 30 * DAY);
    });
    let fired = run_many_seeds(20, async |host| {
        host.run::<three_timers>(DAY).await.unwrap()
    });
    assert!(fired.iter().all(|fired| *fired == in_order), "{fired:?}");
}

async fn overdue_ones_fire_in_order<S: StorageProvider + Clone>(storage: S) {
    let bench = Bench::on(storage, HostOptions::default()).await;
    let run = bench.begin_run::<three_timers>(millis(1)).await;
    let id = run.id().to_owned();
    drop(run);
    bench
        .until(&id, |status| status.custom_status.is_some())
        .await;
    let down = bench.stop().await;
    past(wall_clock() + millis(30)).await;
    let bench = down.start().await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    let fired: Vec<(u32, TimeDelta)> = ended.unwrap().output_as().unwrap();
    let order: Vec<_> = fired.iter().map(|(after, _)| *after).collect();
    assert_eq!(order, [10, 20, 30]);
    let is_early = |(after, took): &(u32, _)| *took < TimeDelta::milliseconds((*after).into());
    assert!(!fired.iter().any(is_early), "{fired:?}");
}

// Rule 27: after a stop, those overdue fire in order of their due time.
#[tokio::test]
async fn overdue_timers_fire_in_order_of_their_time() {
    overdue_ones_fire_in_order(Memory::new()).await;
}

// Rule 27: and those in a file.
#[tokio::test]
async fn overdue_timers_in_a_file_fire_in_order_of_their_time() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(directory.path().join("timers.db")).unwrap();
    overdue_ones_fire_in_order(storage).await;
}
