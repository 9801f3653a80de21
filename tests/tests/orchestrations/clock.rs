//! Time and identifiers that are the same on every replay.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;
use uuid::Uuid;

use crate::support::{Bench, LONG, counted, millis, wall_clock, within};
use crate::virtual_time::{DAY, HOUR, calm_and_crashing};

#[orchestrator]
async fn reads_the_clock(ctx: OrchestrationContext) -> Result<Vec<(DateTime<Utc>, bool)>> {
    let mut times = Vec::new();
    for round in 0..5 {
        let time = ctx.current_utc_datetime();
        while wall_clock() < time + millis(1) {}
        times.push((time, time == ctx.current_utc_datetime()));
        if round % 2 == 0 {
            ctx.call_activity::<counted>("tick").await?;
        } else {
            ctx.sleep(millis(1)).await;
        }
    }
    Ok(times)
}

// Rule 12: the time is constant within an episode and never goes back.
#[tokio::test]
async fn time_stands_still_within_an_episode() {
    let bench = Bench::start().await;
    let before = wall_clock();
    let times = bench.output::<reads_the_clock>(()).await;
    assert!(times.iter().all(|(_, is_constant)| *is_constant));
    assert!(times.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    assert!(times[0].0 >= before - millis(1) && times[4].0 <= wall_clock());
    assert!(times[0].0 < times[4].0);
}

#[orchestrator]
async fn notes_the_time(ctx: OrchestrationContext) -> Result<Vec<DateTime<Utc>>> {
    let mut times = vec![ctx.current_utc_datetime()];
    for _ in 0..2 {
        ctx.call_activity::<counted>("takes an hour").await?;
        times.push(ctx.current_utc_datetime());
        ctx.sleep(DAY).await;
        times.push(ctx.current_utc_datetime());
    }
    let event = ctx.wait_for_external_event::<()>("news").await;
    times.push(ctx.current_utc_datetime());
    event?;
    Ok(times)
}

// Rule 12: the time is that at which what the code waited for has happened, however often it is replayed.
#[test]
fn the_time_is_that_of_the_episode() {
    calm_and_crashing(async |host, _| {
        host.mock_activity::<counted>(|_| Ok(1)).delay(HOUR);
        let began = host.now();
        let run = host.start::<notes_the_time>(()).await.unwrap();
        host.raise_event_after(100 * HOUR, run.id(), "news", ());
        let times = run.output().await.unwrap();
        let hours: Vec<_> = times.iter().map(|time| *time - began).collect();
        assert_eq!(hours, [0, 1, 25, 26, 50, 100].map(TimeDelta::hours));
    });
}

#[orchestrator]
async fn notes_time_and_guids(ctx: OrchestrationContext) -> Result<Vec<(DateTime<Utc>, Uuid)>> {
    let note = || (ctx.current_utc_datetime(), ctx.new_guid());
    let mut notes = vec![note(), note()];
    ctx.set_custom_status("noted")?;
    ctx.wait_for_external_event::<()>("go").await?;
    notes.extend([note(), note()]);
    Ok(notes)
}

/// What rule 13 says, written down once more.
fn expected_guid(instance: &str, time: DateTime<Utc>, counter: usize) -> Uuid {
    let namespace = Uuid::parse_str("9e952958-5e33-4daf-827f-2fa12937b875").unwrap();
    let nanos = time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    let seven_decimals = format!("{}Z", &nanos[.."2000-01-01T00:00:00.0000000".len()]);
    let name = format!("{instance}_{seven_decimals}_{counter}");
    Uuid::new_v5(&namespace, name.as_bytes())
}

// Rule 13: the exact value, before and after a replay from a file.
#[tokio::test]
async fn a_guid_is_made_of_instance_time_and_counter() {
    let directory = tempfile::tempdir().unwrap();
    let storage = Sqlite::open(directory.path().join("guids.db")).unwrap();
    let bench = Bench::on(storage, HostOptions::default()).await;
    let run = bench.begin_run::<notes_time_and_guids>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "noted").await;
    let bench = bench.restart().await;
    bench.raise(&id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    let notes: Vec<(DateTime<Utc>, Uuid)> = ended.unwrap().output_as().unwrap();
    assert_eq!(notes.len(), 4);
    for (counter, (time, guid)) in notes.iter().enumerate() {
        assert_eq!(*guid, expected_guid(&id, *time, counter));
        assert_eq!(guid.get_version_num(), 5);
    }
    assert_eq!(notes[0].0, notes[1].0);
    assert!(notes[1].0 < notes[2].0);
}

#[orchestrator]
async fn guids_over_generations(
    ctx: OrchestrationContext,
    mut guids: Vec<Uuid>,
) -> Result<Vec<Uuid>> {
    guids.push(ctx.new_guid());
    if guids.len() < 50 {
        return ctx.continue_as_new(guids);
    }
    Ok(guids)
}

// Rule 13: the counter is of an execution, so its time must tell generations apart.
#[tokio::test]
async fn guids_of_generations_differ() {
    let bench = Bench::start().await;
    let mut guids = bench.output::<guids_over_generations>(Vec::new()).await;
    guids.sort_unstable();
    guids.dedup();
    assert_eq!(guids.len(), 50);
}

#[orchestrator]
async fn tells_replaying(ctx: OrchestrationContext) -> Result<Vec<bool>> {
    let first = ctx.is_replaying();
    ctx.set_custom_status("waiting")?;
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(vec![first, ctx.is_replaying()])
}

// OrchestrationContext: `is_replaying` is false where the code runs for the first time.
#[tokio::test]
async fn is_replaying_tells_repetition_from_progress() {
    let bench = Bench::unchecked(HostOptions::default()).await;
    let run = bench.begin_run::<tells_replaying>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "waiting").await;
    let bench = bench.restart().await;
    bench.raise(&id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    let output: Vec<bool> = ended.unwrap().output_as().unwrap();
    assert_eq!(output, [true, false]);
}
