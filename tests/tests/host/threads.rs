//! Activities on the threads that run orchestrations: one that is alone, and of a kind that has given its thread back
//! soon so far, begins there. It must not hold up anyone if it does not do so this time.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use durable_runtime::client::RuntimeStatus;
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, Sqlite};
use serde::{Deserialize, Serialize};

use crate::fixture::eventually;
use crate::process::{PATIENCE, Site};

/// Where [`borrows`] blocks its thread.
#[derive(Debug)]
struct Stage {
    entered: Sender<()>,
    goes: Mutex<Receiver<()>>,
}

/// The other side of a [`Stage`].
#[derive(Debug)]
struct Director {
    stage: Arc<Stage>,
    entries: Receiver<()>,
    go: Sender<()>,
}

impl Director {
    fn new() -> Self {
        let (entered, entries) = channel();
        let (go, goes) = channel();
        let goes = Mutex::new(goes);
        Self {
            stage: Arc::new(Stage { entered, goes }),
            entries,
            go,
        }
    }

    /// Waits until an activity blocks its thread.
    fn expect_entry(&self) {
        self.entries.recv_timeout(PATIENCE).unwrap();
    }

    /// Lets it go on.
    fn let_go(&self) {
        self.go.send(()).unwrap();
    }
}

/// What an activity is to do once it has a thread of orchestrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    Block,
    /// And then use the async runtime.
    BlockAndWait,
}

/// Whether it ran on a thread of orchestrations.
#[activity]
async fn borrows(State(stage): State<Arc<Stage>>, then: Option<Then>) -> Result<bool> {
    let thread = std::thread::current();
    let is_lent = thread
        .name()
        .is_some_and(|name| name.starts_with("durable-partitions"));
    if is_lent && let Some(then) = then {
        stage.entered.send(()).unwrap();
        stage.goes.lock().unwrap().recv().unwrap();
        if then == Then::BlockAndWait {
            // Panics without a runtime.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(is_lent)
}

/// Calls the activity until it has such a thread and `then` happens there.
#[orchestrator]
async fn lends(ctx: OrchestrationContext, then: Then) -> Result<u32> {
    let mut calls = 1;
    while !ctx.call_activity::<borrows>(None).await? {
        calls += 1;
    }
    while !ctx.call_activity::<borrows>(Some(then)).await? {
        calls += 1;
    }
    Ok(calls)
}

/// Where each [`Guard`] was made and dropped.
static GUARDS: Mutex<Vec<(ThreadId, Option<ThreadId>)>> = Mutex::new(Vec::new());

/// Must not leave its thread.
struct Guard {
    number: usize,
    value: Rc<u32>,
}

impl Guard {
    fn new(value: u32) -> Self {
        let mut guards = GUARDS.lock().unwrap();
        guards.push((std::thread::current().id(), None));
        Self {
            number: guards.len() - 1,
            value: Rc::new(value),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        GUARDS.lock().unwrap()[self.number].1 = Some(std::thread::current().id());
    }
}

/// Has something in memory that must not leave its thread.
#[orchestrator]
async fn parked(ctx: OrchestrationContext, value: u32) -> Result<u32> {
    let guard = Guard::new(value);
    let more: u32 = ctx.wait_for_external_event("go").await?;
    Ok(*guard.value + more)
}

/// One thread of orchestrations and the spare one.
async fn one_thread(site: &Site, director: &Director) -> DurableHost {
    let options = HostOptions {
        max_concurrent_orchestrations: 1,
        lease_duration: Duration::from_secs(3600),
        shutdown_grace: Duration::from_millis(100),
        ..HostOptions::default()
    };
    // Without the replay check, which makes guards of its own.
    DurableHost::builder()
        .task_hub("crash")
        .storage(Sqlite::open(site.database()).unwrap())
        .options(options)
        .without_discovery()
        .state(Arc::clone(&director.stage))
        .register::<borrows>()
        .register::<lends>()
        .register::<parked>()
        .start()
        .await
        .unwrap()
}

/// Whoever else has to do with the host gets on, and what is live goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_keeps_its_thread_holds_up_no_orchestration() {
    let (site, director) = (Site::new(), Director::new());
    let host = one_thread(&site, &director).await;
    let client = host.client();
    let mut waiting = Vec::new();
    for value in 0..10_u32 {
        waiting.push(client.start_new::<parked>(value).await.unwrap());
    }
    // The second time the threads have changed places.
    for round in 0..2 {
        let lending = client.start_new::<lends>(Then::Block).await.unwrap();
        director.expect_entry();
        let made = GUARDS.lock().unwrap().len();
        for (value, run) in (0..).zip(waiting.drain(..)) {
            client.raise_event(run.id(), "go", 100_u32).await.unwrap();
            let output = tokio::time::timeout(PATIENCE, run.output()).await;
            assert_eq!(output.unwrap().unwrap(), 100 + value);
        }
        for value in 0..10_u32 {
            waiting.push(client.start_new::<parked>(value).await.unwrap());
        }
        // Those that were in memory were made once more.
        assert_eq!(GUARDS.lock().unwrap().len(), made + 20, "{round}");
        let status = client.get_status(lending.id()).await.unwrap().unwrap();
        assert_eq!(status.runtime_status, RuntimeStatus::Running);
        director.let_go();
        lending.output().await.unwrap();
        // It was not run a second time.
        assert!(director.entries.try_recv().is_err());
    }
    host.shutdown().await.unwrap();
    eventually("all are dropped, each in its thread", async || {
        let guards = GUARDS.lock().unwrap();
        let mut dropped = guards.iter();
        dropped
            .all(|(made, dropped)| dropped.as_ref() == Some(made))
            .then_some(())
    })
    .await;
}

/// Rule 45: a shutdown waits for such an activity no longer than for any other, and gives the partitions back.
#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_keeps_its_thread_does_not_hold_up_a_shutdown() {
    let (site, director) = (Site::new(), Director::new());
    let first = one_thread(&site, &director).await;
    let lending = first.client().start_new::<lends>(Then::Block);
    let id = lending.await.unwrap().id().to_owned();
    director.expect_entry();
    drop(first.client());
    let ended = tokio::time::timeout(PATIENCE, first.shutdown()).await;
    ended.unwrap().unwrap();
    // Its leases run for an hour.
    let second = one_thread(&site, &director).await;
    director.let_go();
    director.expect_entry();
    director.let_go();
    let ended = second.client().wait_for_completion(&id, PATIENCE).await;
    assert_eq!(ended.unwrap().runtime_status, RuntimeStatus::Completed);
    second.shutdown().await.unwrap();
}

static DROPPED: AtomicBool = AtomicBool::new(false);

/// Takes its time to be dropped.
struct Slow;

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(100));
        DROPPED.store(true, Ordering::SeqCst);
    }
}

#[orchestrator]
async fn holds(ctx: OrchestrationContext) -> Result<()> {
    let _slow = Slow;
    Ok(ctx.wait_for_external_event("never").await?)
}

/// Rule 45: what is in memory has been let go when a shutdown is over, and the program may end.
#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_waits_for_what_is_dropped() {
    let host = DurableHost::builder()
        .storage(Memory::new())
        .without_discovery()
        .register::<holds>()
        .start()
        .await
        .unwrap();
    host.client().start_new::<holds>(()).await.unwrap();
    host.shutdown().await.unwrap();
    assert!(DROPPED.load(Ordering::SeqCst));
}

/// Rule 45: what an activity cannot do because its runtime has gone is no failure of it.
#[test]
fn an_activity_that_outlives_its_runtime_is_run_again() {
    let (site, director) = (Site::new(), Director::new());
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first_runtime = runtime();
    let (first, id) = first_runtime.block_on(async {
        let first = one_thread(&site, &director).await;
        let client = first.client();
        let run = client.start_new::<lends>(Then::BlockAndWait).await.unwrap();
        let id = run.id().to_owned();
        // What the runtime waits for has come to its end when it goes.
        tokio::task::block_in_place(|| director.expect_entry());
        (first, id)
    });
    drop(first_runtime);
    director.let_go();
    // A failure would be there at once.
    runtime().block_on(async {
        let client = first.client();
        for _ in 0..20 {
            let status = client.get_status(&id).await.unwrap().unwrap();
            assert_eq!(status.runtime_status, RuntimeStatus::Running);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    drop(first);
    runtime().block_on(async {
        let second = one_thread(&site, &director).await;
        director.expect_entry();
        director.let_go();
        let ended = second.client().wait_for_completion(&id, PATIENCE).await;
        assert_eq!(ended.unwrap().runtime_status, RuntimeStatus::Completed);
        second.shutdown().await.unwrap();
    });
}
