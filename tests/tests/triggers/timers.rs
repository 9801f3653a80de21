//! Rule 40: schedules.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use durable_runtime::TimerInfo;
use durable_runtime::host::HostOptions;
use durable_runtime::model::{TaskHubName, WorkerId};
use durable_runtime::prelude::*;
use durable_runtime::storage::{
    HubOptions, Memory, ScheduleClaim, ScheduleTurn, Sqlite, StorageProvider,
};
use tokio::sync::Semaphore;

use crate::process::Site;
use crate::support::{Log, eventually, host, quick};

type Seen = Arc<Log<TimerInfo>>;

const EVERY_SECOND: &str = "* * * * * *";
const NIGHTLY: &str = "0 0 2 * * *";

#[durable_client(timer("* * * * * *"))]
async fn ticking(timer: TimerInfo, _client: DurableClient, State(seen): State<Seen>) {
    seen.note(timer);
}

#[durable_client(timer("0 0 2 * * *"))]
async fn nightly(_client: DurableClient, timer: TimerInfo, State(seen): State<Seen>) -> Result<()> {
    seen.note(timer);
    Err(Error::msg("it is logged, and not repeated"))
}

fn hub(storage: &impl StorageProvider) -> Arc<dyn durable_runtime::storage::HubStorage> {
    let name = TaskHubName::new("crash").unwrap();
    let options = HubOptions { partition_count: 2 };
    storage.open_hub(&name, &options).unwrap()
}

/// Rule 40: once per due time, over all workers.
#[tokio::test]
async fn two_hosts_fire_each_due_time_once() {
    let site = Site::new();
    let seen = Seen::default();
    let start = async || {
        host(Sqlite::open(site.database()).unwrap())
            .register::<ticking>()
            .state(Arc::clone(&seen))
            .start()
            .await
            .unwrap()
    };
    let (first, second) = (start().await, start().await);
    seen.has(3).await;
    // The other one goes on alone.
    first.shutdown().await.unwrap();
    let so_far = seen.entries().len();
    let fired = seen.has(so_far + 2).await;
    second.shutdown().await.unwrap();

    let due: Vec<_> = fired.iter().map(|timer| timer.scheduled).collect();
    assert_eq!(
        due.iter().collect::<BTreeSet<_>>().len(),
        due.len(),
        "{due:?}"
    );
    assert!(due.is_sorted(), "{due:?}");
    for timer in &fired {
        assert_eq!(timer.scheduled.timestamp_subsec_micros(), 0);
        assert!(timer.next.unwrap() > timer.scheduled);
    }
    for pair in fired.windows(2) {
        assert_eq!(pair[1].last, Some(pair[0].scheduled));
        // Nothing is left out without saying so.
        let is_next = pair[1].scheduled == pair[0].scheduled + TimeDelta::seconds(1);
        assert!(is_next || pair[1].is_past_due, "{pair:?}");
    }
    assert_eq!(fired[0].last, None);
}

/// Rule 40: what was missed fires once on start, for the latest due time. A function that fails is not run
/// again for it.
#[tokio::test]
async fn missed_times_fire_once_on_start() {
    let storage = Memory::new();
    let long_ago = Utc::now() - TimeDelta::days(3);
    hub(&storage)
        .open_schedule("nightly", NIGHTLY, long_ago)
        .unwrap();
    let seen = Seen::default();
    let start = async || {
        host(storage.clone())
            .register::<nightly>()
            .register::<ticking>()
            .state(Arc::clone(&seen))
            .start()
            .await
            .unwrap()
    };
    let of_nightly = || -> Vec<TimerInfo> {
        let all = seen.entries().into_iter();
        all.filter(|timer| {
            timer
                .next
                .is_none_or(|next| next - timer.scheduled > TimeDelta::hours(1))
        })
        .collect()
    };
    let first = start().await;
    eventually("it has fired", async || {
        (!of_nightly().is_empty()).then_some(())
    })
    .await;
    // The other timer shows that time goes on.
    let so_far = seen.entries().len();
    seen.has(so_far + 2).await;
    first.shutdown().await.unwrap();
    let second = start().await;
    let so_far = seen.entries().len();
    seen.has(so_far + 2).await;
    second.shutdown().await.unwrap();

    let fired = of_nightly();
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert!(fired[0].is_past_due);
    assert_eq!(fired[0].last, None);
    assert!(Utc::now() - fired[0].scheduled < TimeDelta::hours(25));
    assert_eq!(fired[0].next, Some(fired[0].scheduled + TimeDelta::days(1)));
}

/// Rule 40: a schedule that is new, or another one than before, has missed nothing.
#[tokio::test]
async fn a_new_schedule_has_missed_nothing() {
    let storage = Memory::new();
    let long_ago = Utc::now() - TimeDelta::days(3);
    hub(&storage)
        .open_schedule("nightly", "0 0 5 * * *", long_ago)
        .unwrap();
    let seen = Seen::default();
    let host = host(storage)
        .register::<nightly>()
        .register::<ticking>()
        .state(Arc::clone(&seen));
    let host = host.start().await.unwrap();
    let fired = seen.has(3).await;
    host.shutdown().await.unwrap();
    let soon = |timer: &TimerInfo| timer.next.unwrap() - timer.scheduled < TimeDelta::hours(1);
    assert!(fired.iter().all(soon), "{fired:?}");
    assert!(!fired[0].is_past_due, "{:?}", fired[0]);
}

/// A function that stays inside until it is let out.
#[derive(Debug)]
struct Held {
    seen: Log<TimerInfo>,
    exit: Semaphore,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            seen: Log::default(),
            exit: Semaphore::new(0),
        }
    }
}

#[durable_client(timer("* * * * * *"))]
async fn held(_client: DurableClient, timer: TimerInfo, State(held): State<Arc<Held>>) {
    held.seen.note(timer);
    held.exit.acquire().await.unwrap().forget();
}

/// Rules 40 and 45: a run that a shutdown cut off is repeated by the next host.
#[tokio::test]
async fn a_run_that_was_cut_off_is_repeated() {
    let site = Site::new();
    let start = async |state: &Arc<Held>| {
        host(Sqlite::open(site.database()).unwrap())
            .options(HostOptions {
                shutdown_grace: Duration::from_millis(20),
                lease_duration: Duration::from_secs(600),
                ..quick()
            })
            .register::<held>()
            .state(Arc::clone(state))
            .start()
            .await
            .unwrap()
    };
    let state = Arc::<Held>::default();
    let first = start(&state).await;
    let cut_off = state.seen.has(1).await[0].clone();
    first.shutdown().await.unwrap();

    let state = Arc::<Held>::default();
    state.exit.add_permits(100);
    let second = start(&state).await;
    let repeated = state.seen.has(1).await[0].clone();
    second.shutdown().await.unwrap();
    assert!(repeated.is_past_due);
    assert!(repeated.scheduled >= cut_off.scheduled);
    assert_eq!(repeated.last, cut_off.last);
}

/// Rule 40: a due time whose worker is gone is carried out by another one, once the lease has run out.
#[tokio::test]
async fn the_due_time_of_a_worker_that_is_gone_is_repeated() {
    let storage = Memory::new();
    let began = Utc::now() - TimeDelta::days(2);
    let hub = hub(&storage);
    hub.open_schedule("nightly", NIGHTLY, began).unwrap();
    let midnight: DateTime<Utc> = Utc::now()
        .date_naive()
        .and_hms_opt(0, 0, 0)
        .unwrap()
        .and_utc();
    let due = midnight - TimeDelta::hours(22);
    let gone = ScheduleClaim {
        name: "nightly",
        worker: &WorkerId("gone".to_owned()),
        due,
    };
    let turn = hub
        .take_schedule(&gone, Duration::from_millis(300))
        .unwrap();
    assert_eq!(turn, ScheduleTurn::Taken { last: None });

    let seen = Seen::default();
    let host = host(storage).register::<nightly>().state(Arc::clone(&seen));
    let host = host.start().await.unwrap();
    let fired = seen.has(1).await;
    host.shutdown().await.unwrap();
    assert!(fired[0].is_past_due);
    assert!(fired[0].scheduled >= due);
    assert!(!hub.settle_schedule(&gone, true).unwrap());
    let known = hub.open_schedule("nightly", NIGHTLY, began).unwrap();
    assert_eq!(known.last, Some(fired[0].scheduled));
}

/// Rule 40: once per due time over all processes, also when one is killed. What that was doing at the
/// moment may be done again.
#[tokio::test]
async fn of_several_processes_one_fires_each_due_time() {
    let site = Site::new();
    std::fs::write(site.file("ticks"), "").unwrap();
    let ticks = || -> Vec<i64> {
        let lines = site.lines("ticks");
        lines.iter().map(|line| line.parse().unwrap()).collect()
    };
    let mut workers = vec![site.serve(1, 10), site.serve(1, 10), site.serve(1, 10)];
    while let Some(worker) = workers.pop() {
        let so_far = ticks().len();
        let more = async || (ticks().len() >= so_far + 2).then_some(());
        eventually("two more ticks", more).await;
        drop(worker);
    }
    let all = ticks();
    assert!(all.is_sorted(), "{all:?}");
    let repeated = all.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(repeated <= 3, "{all:?}");
}

/// The schedules of these tests are those of their functions.
#[test]
fn the_constants_are_those_of_the_functions() {
    let text = include_str!("timers.rs");
    for schedule in [EVERY_SECOND, NIGHTLY] {
        assert!(
            text.contains(&format!("timer(\"{schedule}\")")),
            "{schedule}"
        );
    }
}
