//! Memory is bounded: orchestrations that wait are let go, and go on all the same (rule 23).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;
use futures_util::{StreamExt, TryStreamExt};

use crate::fixture::{eventually, host};
use crate::process::PATIENCE;

/// Counts how often code has begun, and how often it was let go.
struct Counters {
    begun: AtomicUsize,
    dropped: AtomicUsize,
}

impl Counters {
    const fn new() -> Self {
        Self {
            begun: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        }
    }

    fn begin(&'static self) -> Living {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Living(self)
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

struct Living(&'static Counters);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[activity]
async fn double(number: usize) -> Result<usize> {
    Ok(number * 2)
}

static MANY: Counters = Counters::new();
static FEW: Counters = Counters::new();
static IDLE: Counters = Counters::new();

#[deterministic]
async fn patient(
    ctx: OrchestrationContext,
    number: usize,
    counters: &'static Counters,
) -> Result<usize> {
    let _living = counters.begin();
    let number = ctx.call_activity::<double>(number).await?;
    let more: usize = ctx.wait_for_external_event("more").await?;
    let sum = ctx.call_activity::<double>(number + more).await?;
    Ok(sum)
}

#[orchestrator]
async fn one_of_many(ctx: OrchestrationContext, number: usize) -> Result<usize> {
    patient(ctx, number, &MANY).await
}

#[orchestrator]
async fn one_of_few(ctx: OrchestrationContext, number: usize) -> Result<usize> {
    patient(ctx, number, &FEW).await
}

#[orchestrator]
async fn idler(ctx: OrchestrationContext, number: usize) -> Result<usize> {
    patient(ctx, number, &IDLE).await
}

async fn start(options: HostOptions) -> DurableHost {
    host(Memory::new(), HostOptions::default())
        // A replay check would be counted as another beginning.
        .options(options)
        .register::<double>()
        .register::<one_of_many>()
        .register::<one_of_few>()
        .register::<idler>()
        .start()
        .await
        .unwrap()
}

const INSTANCES: usize = 50;

/// Starts [`INSTANCES`] that wait, and then has them all go on.
async fn all_go_on(client: &DurableClient, name: &str) {
    for number in 0..INSTANCES {
        let start = client.start_new_by_name(name, number);
        start.instance_id(format!("{name}-{number}")).await.unwrap();
    }
    for number in 0..INSTANCES {
        let id = format!("{name}-{number}");
        client.raise_event(&id, "more", 1).await.unwrap();
    }
    for number in 0..INSTANCES {
        let id = format!("{name}-{number}");
        let status = client.wait_for_completion(&id, PATIENCE).await.unwrap();
        assert_eq!(status.output_as::<usize>().unwrap(), (number * 2 + 1) * 2);
    }
}

/// Rule 23: those above the limit are let go, and end with the same output.
#[tokio::test(flavor = "multi_thread")]
async fn above_the_limit_orchestrations_are_let_go() {
    let few = HostOptions {
        max_cached_instances: 4,
        partition_count: 2,
        ..HostOptions::default()
    };
    let host = start(few).await;
    all_go_on(&host.client(), "one_of_many").await;
    let begun = MANY.begun();
    assert!(begun > INSTANCES, "{begun} times begun: nothing was let go");
    host.shutdown().await.unwrap();
}

/// The opposite: below the limit the code of each is begun once.
#[tokio::test(flavor = "multi_thread")]
async fn below_the_limit_orchestrations_stay() {
    let host = start(HostOptions::default()).await;
    all_go_on(&host.client(), "one_of_few").await;
    assert_eq!(FEW.begun(), INSTANCES);
    host.shutdown().await.unwrap();
}

/// Rule 23: one that nothing happens to is let go, and goes on when its event comes.
#[tokio::test(flavor = "multi_thread")]
async fn idle_orchestrations_are_let_go() {
    let impatient = HostOptions {
        idle_timeout: Duration::from_millis(1),
        ..HostOptions::default()
    };
    let host = start(impatient).await;
    let client = host.client();
    let run = client.start_new::<idler>(5_usize).await.unwrap();
    eventually("it is let go", async || (IDLE.dropped() > 0).then_some(())).await;
    run.raise_event("more", 1).await.unwrap();
    assert_eq!(
        run.wait(PATIENCE)
            .await
            .unwrap()
            .output_as::<usize>()
            .unwrap(),
        22
    );
    assert!(IDLE.begun() > 1);
    host.shutdown().await.unwrap();
}

#[orchestrator]
async fn quick(ctx: OrchestrationContext, number: usize) -> Result<usize> {
    Ok(ctx.call_activity::<double>(number).await?)
}

/// Ten thousand at once are nothing special.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_instances() {
    const MANY: usize = 10_000;
    const AT_ONCE: usize = 1_000;
    let host = host(Memory::new(), HostOptions::default())
        .register::<double>()
        .register::<quick>()
        .start()
        .await
        .unwrap();
    let client = host.client();
    let all = futures_util::stream::iter(0..MANY)
        .map(async |number| {
            let run = client.start_new::<quick>(number).await?;
            let doubled = run.output().await?;
            assert_eq!(doubled, number * 2);
            Ok::<_, durable_runtime::client::ClientError>(())
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(0, async |count, ()| Ok(count + 1));
    let count: usize = tokio::time::timeout(PATIENCE, all).await.unwrap().unwrap();
    assert_eq!(count, MANY);
    host.shutdown().await.unwrap();
}
