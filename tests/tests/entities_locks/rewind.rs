//! A failure releases what its orchestration has locked, so that rewinding it takes the locks again.

use std::sync::atomic::{AtomicBool, Ordering};

use durable_runtime::client::RuntimeStatus;
use durable_runtime::prelude::*;

use crate::bench::{Bench, until, within};
use crate::support::{Log, holds, log};

/// Which of the tests' orchestrations are to succeed.
static WORKS: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

#[activity]
async fn works(number: usize) -> Result<()> {
    if WORKS[number].load(Ordering::Acquire) {
        return Ok(());
    }
    Err(Error::msg("not yet"))
}

#[orchestrator]
async fn works_inside(ctx: OrchestrationContext, number: usize) -> Result<()> {
    let guard = ctx.lock([log("a"), log("b")]).await?;
    let a = guard.entity::<Log>("a");
    a.add("before".to_owned()).await?;
    ctx.call_activity::<works>(number).await?;
    a.add("after".to_owned()).await?;
    drop(guard);
    Ok(())
}

async fn failed(number: usize) -> Bench {
    let bench = Bench::start().await;
    bench.begin::<works_inside>("works", number).await;
    assert_eq!(bench.until_ended("works").await, RuntimeStatus::Failed);
    bench.until_unlocked().await;
    WORKS[number].store(true, Ordering::Release);
    bench
}

async fn rewind(bench: &Bench) {
    within(bench.client.rewind("works", "it works now"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_rewound_holder_takes_its_locks_again() {
    let bench = failed(0).await;
    bench.note("a", "between").await;
    rewind(&bench).await;
    assert_eq!(bench.until_ended("works").await, RuntimeStatus::Completed);
    bench
        .until_texts("a", &["before", "between", "after"])
        .await;
    bench.until_unlocked().await;
}

#[tokio::test]
async fn it_does_not_go_on_before_it_has_them() {
    let bench = failed(1).await;
    bench.begin::<holds>("other", vec!["b".to_owned()]).await;
    bench.until_status("other", "inside").await;
    rewind(&bench).await;
    // The first of its entities is free.
    until(async || (bench.locks().len() == 2).then_some(())).await;
    let bench = bench.restart().await;
    let status = within(bench.client.get_status("works")).await.unwrap();
    assert_eq!(status.unwrap().runtime_status, RuntimeStatus::Running);
    assert_eq!(bench.texts("a").await, ["before"]);
    bench.go("other").await;
    assert_eq!(bench.until_ended("works").await, RuntimeStatus::Completed);
    bench.until_texts("a", &["before", "after"]).await;
    bench.until_unlocked().await;
}

// Terminated before it has them again, it leaves nothing locked.
#[tokio::test]
async fn ended_before_it_has_them_it_holds_nothing() {
    let bench = failed(2).await;
    bench.begin::<holds>("other", vec!["b".to_owned()]).await;
    bench.until_status("other", "inside").await;
    rewind(&bench).await;
    until(async || (bench.locks().len() == 2).then_some(())).await;
    within(bench.client.terminate("works", "")).await.unwrap();
    bench.go("other").await;
    bench.until_unlocked().await;
    bench.note("a", "free").await;
    bench.until_texts("a", &["before", "free"]).await;
}
