//! Replaying what is in a task hub, beside a host and without one.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use durable_runtime::client::{ClientError, InstanceQuery, RuntimeStatus};
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, Sqlite, StorageProvider};
use durable_runtime::testing::{ReplayError, ReplayReport, replay_hub};

const HUB: &str = "Replayed";
const LONG: Duration = Duration::from_secs(60);

/// Whether [`parcel`] is the code of tomorrow.
static TOMORROW: AtomicBool = AtomicBool::new(false);
/// Replays and hosts of these tests share the switch.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn is_tomorrow() -> bool {
    TOMORROW.load(Ordering::SeqCst)
}

#[activity]
async fn weigh(parcel: String) -> Result<usize> {
    Ok(parcel.len())
}

#[orchestrator]
async fn parcel(ctx: OrchestrationContext, parcel: String) -> Result<usize> {
    let weight = ctx.call_activity::<weigh>(parcel.as_str()).await?;
    if parcel == "tea" && is_tomorrow() {
        ctx.sleep(Duration::from_secs(1)).await;
    }
    ctx.wait_for_external_event::<()>("sent").await?;
    ctx.call_activity::<weigh>(parcel).await?;
    Ok(weight)
}

#[orchestrator]
async fn count_up(ctx: OrchestrationContext, number: u32) -> Result<u32> {
    ctx.call_activity::<weigh>("x").await?;
    if number % 5 == 4 {
        return ctx.continue_as_new(number + 1);
    }
    ctx.wait_for_external_event::<()>("next").await?;
    ctx.continue_as_new(number + 1)
}

#[orchestrator(name = "old_parcel", version = "1.0")]
async fn old_parcel(ctx: OrchestrationContext) -> Result<()> {
    ctx.wait_for_external_event::<()>("sent").await?;
    Ok(())
}

async fn host(storage: impl StorageProvider) -> DurableHost {
    let options = HostOptions {
        partition_count: 2,
        ..HostOptions::default()
    };
    // What the examples need is not there.
    let builder = DurableHost::builder().task_hub(HUB).storage(storage);
    let builder = builder.without_discovery().options(options);
    let builder = builder.register::<weigh>().register::<parcel>();
    let builder = builder.register::<count_up>().register::<old_parcel>();
    builder.start().await.unwrap()
}

/// Starts parcels, and waits until each waits to be sent.
async fn begin(client: &DurableClient, parcels: &[(&str, &str)]) {
    for (id, parcel) in parcels {
        let start = client.start_new_by_name("parcel", *parcel);
        start.instance_id(*id).await.unwrap();
    }
    for (id, _) in parcels {
        until(client, id, 5).await;
    }
}

/// Waits until the history of an instance has so many events.
async fn until(client: &DurableClient, id: &str, events: usize) {
    let reached = async {
        loop {
            let status = client.get_status(id).with_history().await.unwrap();
            let history = status.and_then(|status| status.history);
            if history.is_some_and(|history| history.len() >= events) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONG, reached).await.unwrap();
}

async fn replayed(storage: impl StorageProvider, query: InstanceQuery) -> ReplayReport {
    let replay = replay_hub(storage, HUB, query);
    tokio::time::timeout(LONG, replay).await.unwrap().unwrap()
}

/// The same on the code of tomorrow.
async fn replayed_tomorrow(storage: impl StorageProvider, query: InstanceQuery) -> ReplayReport {
    TOMORROW.store(true, Ordering::SeqCst);
    let report = replayed(storage, query).await;
    TOMORROW.store(false, Ordering::SeqCst);
    report
}

fn diverging(report: &ReplayReport) -> Vec<&str> {
    let found = report.diverging.iter();
    found.map(|found| &*found.divergence.instance_id).collect()
}

// Rules 7 and 11: those that are held count as well, and pages leave none out.
#[tokio::test]
async fn all_that_has_not_ended_is_replayed() {
    let _turn = TURN.lock().await;
    let memory = Memory::new();
    let host = host(memory.clone()).await;
    let client = host.client();
    let parcels = [
        ("1", "tea"),
        ("2", "salt"),
        ("3", "tea"),
        ("4", "tea"),
        ("5", "tea"),
    ];
    begin(&client, &parcels).await;
    client.suspend("3", "held").await.unwrap();
    client.terminate("4", "lost").await.unwrap();
    client.wait_for_completion("4", LONG).await.unwrap();
    let later = chrono::Utc::now() + chrono::TimeDelta::days(1);
    let pending = client.start_new::<parcel>("tea").instance_id("6");
    pending.start_at(later).await.unwrap();

    let today = replayed(memory.clone(), InstanceQuery::new()).await;
    assert!(today.is_safe(), "{today}");
    assert_eq!((&*today.task_hub, today.safe), (HUB, 5));
    let pages = InstanceQuery::new().page_size(1);
    let tomorrow = replayed_tomorrow(memory.clone(), pages).await;
    assert!(!tomorrow.is_safe());
    assert_eq!(diverging(&tomorrow), ["1", "3", "5"]);
    assert_eq!((tomorrow.safe, tomorrow.not_replayed.len()), (2, 0));
    let found = &tomorrow.diverging[1];
    assert_eq!(found.runtime_status, RuntimeStatus::Suspended);
    assert_eq!((found.divergence.step, found.divergence.steps), (2, 2));
    assert_eq!(found.divergence.history, "nothing more in this step");
    assert_eq!(found.divergence.code, "made timer #1");
    let text = tomorrow.to_string();
    assert!(text.starts_with("task hub \"Replayed\": 2 safe, 3 diverging, 0 not replayed\n"));
    assert!(
        text.contains("the history of instance \"5\"\n  at step 2 of 2"),
        "{text}"
    );

    // Those that have ended are replayed when they are asked for, and filters are obeyed.
    for (query, wanted) in [
        (
            InstanceQuery::new().status(RuntimeStatus::Terminated),
            &["4"][..],
        ),
        (InstanceQuery::new().id_prefix("5"), &["5"]),
        (InstanceQuery::new().name("count_up"), &[]),
    ] {
        let found = replayed_tomorrow(memory.clone(), query).await;
        assert_eq!(diverging(&found), wanted);
    }
    host.shutdown().await.unwrap();
}

// Invariant of replays from outside: what is stored is the same before and after.
#[tokio::test]
async fn nothing_is_written() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let host = host(Sqlite::open(&path).unwrap()).await;
    begin(&host.client(), &[("1", "tea"), ("2", "salt")]).await;
    host.shutdown().await.unwrap();
    let before = contents(&path);
    assert!(before.len() > 2_000, "{before}");
    let open = || Sqlite::options().existing().open(&path).unwrap();
    let report = replayed_tomorrow(open(), InstanceQuery::new()).await;
    assert_eq!(diverging(&report), ["1"]);
    assert_eq!(contents(&path), before);
}

/// All rows of all tables.
fn contents(path: &std::path::Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(tables).unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut contents = String::new();
    for name in names.map(Result::unwrap) {
        let mut rows = connection
            .prepare(&format!("SELECT * FROM {name}"))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            contents += &name;
            for column in 0..columns {
                write!(contents, " {:?}", row.get_ref(column).unwrap()).unwrap();
            }
            contents.push('\n');
        }
    }
    contents
}

// Rules 19 and 23: a history that grows, ends or is replaced by the next one meanwhile is no divergence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_may_go_on_meanwhile() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let host = host(Sqlite::open(&path).unwrap()).await;
    let client = host.client();
    for number in 0..8 {
        let start = client.start_new::<count_up>(0_u32);
        start.instance_id(format!("count-{number}")).await.unwrap();
    }
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let work = tokio::spawn({
        let (client, stop) = (client.clone(), stop.clone());
        async move {
            let mut round = 0_u32;
            while !stop.load(Ordering::SeqCst) {
                let id = format!("count-{}", round % 8);
                client.raise_event(&id, "next", ()).await.unwrap();
                let id = format!("parcel-{round}");
                let start = client.start_new::<parcel>("tea").instance_id(&id);
                start.await.unwrap();
                client.raise_event(&id, "sent", ()).await.unwrap();
                if round.is_multiple_of(3) {
                    client.wait_for_completion(&id, LONG).await.unwrap();
                    client.purge(&id).await.unwrap();
                }
                round += 1;
            }
            round
        }
    });
    let mut safe = 0;
    let all = [
        RuntimeStatus::Running,
        RuntimeStatus::Pending,
        RuntimeStatus::Completed,
    ];
    for _ in 0..30 {
        let storage = Sqlite::options().existing().open(&path).unwrap();
        let query = InstanceQuery::new().statuses(all).page_size(7);
        let report = replayed(storage, query).await;
        assert!(report.is_safe(), "{report}");
        safe += report.safe;
    }
    stop.store(true, Ordering::SeqCst);
    let rounds = work.await.unwrap();
    assert!(safe >= 30 * 8 && rounds > 10, "{safe} {rounds}");
    host.shutdown().await.unwrap();
}

// Rule 22: an instance whose code is not there would wait for it.
#[tokio::test]
async fn what_cannot_be_replayed_is_listed_with_the_reason() {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let host = host(Sqlite::open(&path).unwrap()).await;
    let client = host.client();
    begin(&client, &[("1", "salt"), ("2", "salt")]).await;
    let old = client.start_new::<old_parcel>(()).instance_id("old");
    old.await.unwrap();
    until(&client, "old", 2).await;
    host.shutdown().await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        "UPDATE episodes SET events = replace(events, '\"version\":\"1.0\"', '\"version\":\"0.9\"')",
        "UPDATE episodes SET events = replace(events, 'TaskScheduled', 'TaskDreamt') WHERE key >> 20 = \
         (SELECT key FROM instances WHERE id = '2')",
    ] {
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
    }
    drop(connection);
    let report = replayed(Sqlite::open(&path).unwrap(), InstanceQuery::new()).await;
    assert_eq!((report.safe, report.diverging.len()), (1, 0), "{report}");
    let not_replayed = &report.not_replayed;
    let ids: Vec<_> = not_replayed
        .iter()
        .map(|found| &*found.instance_id)
        .collect();
    assert_eq!(ids, ["2", "old"], "{report}");
    assert!(
        not_replayed[0]
            .reason
            .contains("unknown variant `TaskDreamt`"),
        "{report}"
    );
    assert!(
        not_replayed[1].reason.contains("registered: 1.0"),
        "{report}"
    );
    assert!(!report.is_safe());
    let text = report.to_string();
    assert!(
        text.contains("\norchestrator \"parcel\", instance \"2\": "),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_an_error() {
    let replay = replay_hub(Memory::new(), "Nowhere", InstanceQuery::new());
    let error = replay.await.unwrap_err();
    assert!(
        matches!(error, ReplayError::Hub(ClientError::TaskHubNotFound { .. })),
        "{error}"
    );
    let memory = Memory::new();
    DurableClient::connect(memory.clone(), HUB).unwrap();
    let query = InstanceQuery::new().continuation_token("x");
    let error = replay_hub(memory.clone(), HUB, query).await.unwrap_err();
    assert!(
        matches!(
            error,
            ReplayError::Hub(ClientError::InvalidContinuationToken)
        ),
        "{error}"
    );
    assert!(
        replay_hub(memory.clone(), "1 2", InstanceQuery::new())
            .await
            .is_err()
    );
    let none = replayed(memory, InstanceQuery::new()).await;
    assert!(none.is_safe() && none.safe == 0, "{none}");
}
