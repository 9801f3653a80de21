//! Rule 45: shutting down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::host::{HostError, HostOptions};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use crate::fixture::{Gate, eventually, host};
use crate::process::{PATIENCE, Site};

/// How often [`afterwards`] was run.
#[derive(Debug, Default)]
struct Afterwards(AtomicU32);

#[activity]
async fn hold(
    ctx: ActivityContext,
    State(gate): State<Arc<Gate>>,
    value: u32,
) -> Result<(u32, u32)> {
    gate.pass().await;
    Ok((value, ctx.attempt()))
}

#[activity]
async fn afterwards(State(runs): State<Arc<Afterwards>>) -> Result<u32> {
    Ok(runs.0.fetch_add(1, Ordering::SeqCst))
}

#[orchestrator]
async fn held(ctx: OrchestrationContext, value: u32) -> Result<(u32, u32)> {
    let held = ctx.call_activity::<hold>(value).await?;
    ctx.call_activity::<afterwards>(()).await?;
    Ok(held)
}

#[orchestrator]
async fn brief(_ctx: OrchestrationContext, value: u32) -> Result<u32> {
    Ok(value)
}

#[derive(Default)]
struct Setting {
    gate: Arc<Gate>,
    afterwards: Arc<Afterwards>,
}

impl Setting {
    async fn host(&self, site: &Site, options: HostOptions) -> DurableHost {
        let storage = Sqlite::open(site.database()).unwrap();
        host(storage, options)
            .state(Arc::clone(&self.gate))
            .state(Arc::clone(&self.afterwards))
            .register::<hold>()
            .register::<afterwards>()
            .register::<held>()
            .register::<brief>()
            .start()
            .await
            .unwrap()
    }
}

/// With a lease that no test outlives: only one that is given back can be taken.
fn options() -> HostOptions {
    HostOptions {
        lease_duration: Duration::from_secs(3600),
        ..HostOptions::default()
    }
}

/// Rule 45: running activities get their grace, and their results are kept; none begins; the leases
/// are given back.
#[tokio::test(flavor = "multi_thread")]
async fn running_activities_end_and_are_not_run_again() {
    for round in 0..20 {
        let (site, setting) = (Site::new(), Setting::default());
        let first = setting.host(&site, options()).await;
        let mut ids = Vec::new();
        for value in 0..4_u32 {
            let run = first.client().start_new::<held>(value).await.unwrap();
            ids.push((run.id().to_owned(), value));
        }
        setting.gate.entered(4).await;
        let (ended, ()) = tokio::join!(first.shutdown(), async { setting.gate.let_out(4) });
        ended.unwrap();
        let began = setting.afterwards.0.load(Ordering::SeqCst);
        assert_eq!(began, 0, "an activity began during the shutdown");
        drop(first);

        let second = setting.host(&site, options()).await;
        for (id, value) in ids {
            let status = second.client().wait_for_completion(&id, PATIENCE).await;
            assert_eq!(
                status.unwrap().output_as::<(u32, u32)>().unwrap(),
                (value, 1)
            );
        }
        assert_eq!(setting.gate.count(), 4, "run again in round {round}");
        second.shutdown().await.unwrap();
    }
}

/// Rule 45: an activity that takes longer than the grace is run again by the next host, and that does
/// not count as a crash.
#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_outlasts_the_grace_is_run_again() {
    let (site, setting) = (Site::new(), Setting::default());
    let short = HostOptions {
        shutdown_grace: Duration::from_millis(10),
        max_activity_attempts: 1,
        ..options()
    };
    let first = setting.host(&site, short.clone()).await;
    let id = first
        .client()
        .start_new::<held>(7_u32)
        .await
        .unwrap()
        .id()
        .to_owned();
    setting.gate.entered(1).await;
    first.shutdown().await.unwrap();
    let second = setting.host(&site, short).await;
    setting.gate.entered(1).await;
    setting.gate.let_out(2);
    let status = second
        .client()
        .wait_for_completion(&id, PATIENCE)
        .await
        .unwrap();
    assert_eq!(status.output_as::<(u32, u32)>().unwrap(), (7, 1));
    assert_eq!(setting.gate.count(), 2);
    let status = second
        .client()
        .get_status(&id)
        .with_history()
        .await
        .unwrap()
        .unwrap();
    let restarted = |kind: &EventKind| matches!(kind, EventKind::TaskRestarted { .. });
    assert!(
        !status
            .history
            .unwrap()
            .iter()
            .any(|event| restarted(&event.kind))
    );
    second.shutdown().await.unwrap();
}

/// Rule 45: activities that wait for their turn are left to the next host.
#[tokio::test(flavor = "multi_thread")]
async fn activities_that_wait_for_their_turn_do_not_begin() {
    let (site, setting) = (Site::new(), Setting::default());
    let one_at_a_time = HostOptions {
        max_concurrent_activities: 1,
        ..options()
    };
    let first = setting.host(&site, one_at_a_time).await;
    let mut ids = Vec::new();
    for value in 0..5_u32 {
        let run = first.client().start_new::<held>(value).await.unwrap();
        ids.push((run.id().to_owned(), value));
    }
    setting.gate.entered(1).await;
    let (ended, ()) = tokio::join!(first.shutdown(), async { setting.gate.let_out(5) });
    ended.unwrap();
    assert_eq!(setting.gate.count(), 1);
    let second = setting.host(&site, options()).await;
    for (id, value) in ids {
        let status = second
            .client()
            .wait_for_completion(&id, PATIENCE)
            .await
            .unwrap();
        assert_eq!(status.output_as::<(u32, u32)>().unwrap(), (value, 1));
    }
    assert_eq!(setting.gate.count(), 5);
    second.shutdown().await.unwrap();
}

/// Rule 45: what was acknowledged while the host was stopping is there.
#[tokio::test(flavor = "multi_thread")]
async fn starts_during_a_shutdown_are_kept_or_refused() {
    let (site, setting) = (Site::new(), Setting::default());
    let first = setting.host(&site, options()).await;
    let client = first.client();
    let starting = tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        for value in 0..500_u32 {
            match client.start_new::<brief>(value).await {
                Ok(run) => acknowledged.push((run.id().to_owned(), value)),
                Err(ClientError::Busy { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        acknowledged
    });
    first.shutdown().await.unwrap();
    let acknowledged = tokio::time::timeout(PATIENCE, starting)
        .await
        .unwrap()
        .unwrap();
    drop(first);
    let second = setting.host(&site, options()).await;
    for (id, value) in acknowledged {
        let status = second.client().wait_for_completion(&id, PATIENCE).await;
        assert_eq!(status.unwrap().output_as::<u32>().unwrap(), value);
    }
    second.shutdown().await.unwrap();
}

static SPINNING: AtomicBool = AtomicBool::new(false);
static ENOUGH: AtomicBool = AtomicBool::new(false);

/// Never waits, and so holds its thread for as long as it likes.
#[orchestrator]
async fn spins(_ctx: OrchestrationContext) -> Result<()> {
    while !ENOUGH.load(Ordering::SeqCst) {
        SPINNING.store(true, Ordering::SeqCst);
        #[allow_nondeterminism(thread, reason = "it lets others run")]
        std::thread::yield_now();
    }
    Ok(())
}

/// Rule 45: a shutdown ends, also when an orchestrator does not.
#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_that_never_returns_does_not_hold_up_a_shutdown() {
    let site = Site::new();
    let options = HostOptions {
        shutdown_grace: Duration::ZERO,
        ..HostOptions::default()
    };
    let storage = Sqlite::open(site.database()).unwrap();
    let host = host(storage, options).register::<spins>();
    let host = host.start().await.unwrap();
    let client = host.client();
    let start = tokio::spawn(async move { client.start_new::<spins>(()).await.map(drop) });
    eventually("it runs", async || {
        SPINNING.load(Ordering::SeqCst).then_some(())
    })
    .await;
    let ended = tokio::time::timeout(PATIENCE, host.shutdown()).await;
    assert!(matches!(ended, Ok(Err(HostError::NotDurable))), "{ended:?}");
    ENOUGH.store(true, Ordering::SeqCst);
    // Its start was not answered; now that it is, or is refused, nobody waits.
    let answered = tokio::time::timeout(PATIENCE, start).await;
    answered.unwrap().unwrap().ok();
}
